/* What a deal says: its creation, its standing win or loss, its way through the stages, its proposals; and whom it makes a
 * converted lead and a customer. */
#include "common/instant.h"
#include "daemon/facts/tell.h"

enum status {
    OPEN,
    WON,
    LOST
};

/* A deal's events, read once. */
struct course {
    enum status status;
    const struct entity_event *closed; /* the event that set the standing status; NULL while open */
    bool in_stage;                     /* open and created: it stands in a stage */
    name_id stage;
    const struct entity_event *entered; /* when it entered that stage */
    name_id left;                       /* the stage it left by its standing win or loss; 0 */
    name_id *seen;                      /* stages it has ever been open in, each once */
    uint32_t n_seen;
};

/* What all of a deal's facts with money and pipeline share. */
struct deal {
    struct teller *teller;
    name_id pipeline, currency, expected_month, sale;
    int64_t amount, cost;
    const struct entity_value *expected_close;
    struct course course;
};

static struct fact_entry *tell_stage(struct deal *deal, enum fact fact, const struct entity_event *at)
{
    struct fact_entry *entry = tell(deal->teller, fact, event_day(at));
    set_dim(entry, DIM_PIPELINE, deal->pipeline);
    set_dim(entry, DIM_STAGE, deal->course.stage);
    set_dim(entry, DIM_CURRENCY, deal->currency);
    set_dim(entry, DIM_EXPECTED_MONTH, deal->expected_month);
    set_measure(entry, 1, deal->amount);
    return entry;
}

static void note_stage(struct deal *deal)
{
    struct course *course = &deal->course;
    for (uint32_t i = 0; i < course->n_seen; i++)
        if (course->seen[i] == course->stage) return;
    course->seen[course->n_seen++] = course->stage;
}

static void enter_stage(struct deal *deal, const struct entity_event *at)
{
    deal->course.in_stage = true;
    deal->course.entered = at;
    note_stage(deal);
    tell_stage(deal, FACT_STAGE_ENTERED, at);
}

static void leave_stage(struct deal *deal, const struct entity_event *at)
{
    struct fact_entry *entry = tell_stage(deal, FACT_STAGE_LEFT, at);
    set_measure(entry, 2, elapsed_ms(deal->course.entered->time_us, at->time_us));
    deal->course.in_stage = false;
}

static void close_deal(struct deal *deal, const struct entity_event *at, enum status status)
{
    struct course *course = &deal->course;
    if (course->status == status) return; /* a second one in a row only sets attributes */
    course->status = status;
    course->closed = at;
    course->left = course->in_stage ? course->stage : 0;
    if (course->in_stage) leave_stage(deal, at);
}

static void set_stage(struct deal *deal, const struct entity_event *at)
{
    struct course *course = &deal->course;
    if (at->name == course->stage) return;
    bool moves = course->in_stage;
    if (moves) leave_stage(deal, at);
    course->stage = at->name;
    if (moves) enter_stage(deal, at);
}

/* One event: a win or loss leaves the stage before the event's own stage is set, opening and reopening enter it after. */
static void follow_event(struct deal *deal, const struct entity_event *event)
{
    struct course *course = &deal->course;
    if (event->verb == VERB_WON || event->verb == VERB_LOST) close_deal(deal, event, event->verb == VERB_WON ? WON : LOST);
    if (event->named) set_stage(deal, event);
    bool created = deal->teller->created && event >= deal->teller->created;
    if (event->verb == VERB_REOPENED && course->status != OPEN) {
        course->status = OPEN;
        course->closed = NULL;
        if (created) enter_stage(deal, event);
    } else if (event == deal->teller->created && course->status == OPEN) {
        enter_stage(deal, event);
    }
}

static void follow_course(struct deal *deal)
{
    const struct entity *entity = deal->teller->entity;
    uint32_t first = first_event(deal->teller);
    deal->course.seen = arena_alloc(deal->teller->context->arena, (entity->n_events - first + 1) * sizeof(name_id));
    for (uint32_t i = first; i < entity->n_events; i++) follow_event(deal, &entity->events[i]);
}

/* ---- facts ---- */

static void tell_created(struct deal *deal)
{
    struct fact_entry *entry = tell(deal->teller, FACT_DEAL_CREATED, event_day(deal->teller->created));
    set_dim(entry, DIM_PIPELINE, deal->pipeline);
    set_dim(entry, DIM_SALE, deal->sale);
    set_dim(entry, DIM_STAGE, tell_name(deal->teller, ATTRIBUTE_STAGE));
    set_dim(entry, DIM_CURRENCY, deal->currency);
    set_measure(entry, 1, deal->amount);
    set_measure(entry, 2, deal->teller->entity->sums[HANDED_CALLS]);
}

/* deal_won or deal_lost: where the standing win or loss was. */
static struct fact_entry *tell_close(struct deal *deal)
{
    struct teller *teller = deal->teller;
    const struct course *course = &deal->course;
    struct fact_entry *entry =
        tell_fully(teller, course->status == WON ? FACT_DEAL_WON : FACT_DEAL_LOST, event_day(course->closed));
    set_dim(entry, DIM_PIPELINE, deal->pipeline);
    set_dim(entry, DIM_SALE, deal->sale);
    set_dim(entry, DIM_CURRENCY, deal->currency);
    set_dim(entry, DIM_LOSS_REASON, tell_name(teller, ATTRIBUTE_LOSS_REASON));
    set_dim(entry, DIM_COMPETITOR, tell_name(teller, ATTRIBUTE_COMPETITOR));
    set_dim(entry, DIM_STAGE, course->left);
    set_measure(entry, 1, deal->amount);
    set_measure(entry, 2, deal->cost);
    set_measure(entry, 3, elapsed_ms(teller->created->time_us, course->closed->time_us));
    set_measure(entry, 4, teller->entity->sums[HANDED_CALLS]);
    return entry;
}

static void tell_outcomes(struct deal *deal)
{
    const struct course *course = &deal->course;
    for (uint32_t i = 0; i < course->n_seen; i++) {
        struct fact_entry *entry = tell(deal->teller, FACT_STAGE_OUTCOME, event_day(course->closed));
        set_dim(entry, DIM_PIPELINE, deal->pipeline);
        set_dim(entry, DIM_STAGE, course->seen[i]);
        set_measure(entry, 1, course->status == WON);
    }
}

static void tell_expected(struct deal *deal)
{
    if (!deal->expected_close) return;
    struct fact_entry *entry = tell(deal->teller, FACT_DEAL_EXPECTED, (int32_t)deal->expected_close->integer);
    set_dim(entry, DIM_PIPELINE, deal->pipeline);
    set_dim(entry, DIM_STAGE, deal->course.stage);
    set_dim(entry, DIM_CURRENCY, deal->currency);
    set_measure(entry, 1, deal->amount);
}

static void tell_proposals(struct deal *deal)
{
    const struct entity *entity = deal->teller->entity;
    for (uint32_t i = first_event(deal->teller); i < entity->n_events; i++) {
        if (entity->events[i].verb != VERB_PROPOSAL_SENT) continue;
        struct fact_entry *entry = tell(deal->teller, FACT_PROPOSAL, event_day(&entity->events[i]));
        set_dim(entry, DIM_PIPELINE, deal->pipeline);
        set_dim(entry, DIM_CURRENCY, deal->currency);
        set_measure(entry, 1, deal->amount);
    }
}

/* ---- handing over ---- */

static bool wins_matter(const struct kept *kept)
{
    static const enum fact facts[] = { FACT_LEAD_CONVERTED,    FACT_CONVERSION,    FACT_LEAD_REVENUE,
                                       FACT_LEAD_UNTOUCHED,    FACT_CUSTOMER_NEW,  FACT_CUSTOMER_ACTIVE,
                                       FACT_CUSTOMER_RETAINED, FACT_CUSTOMER_KEPT, FACT_PURCHASE };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (kept->fact[facts[i]].on) return true;
    return false;
}

static void hand_win(struct deal *deal, const struct fact_entry *won)
{
    struct teller *teller = deal->teller;
    struct span contact = tell_text(teller, ATTRIBUTE_CONTACT), account = tell_text(teller, ATTRIBUTE_ACCOUNT);
    if (!wins_matter(teller->context->kept)) return;
    struct win win = { .event = *deal->course.closed, .currency = deal->currency, .amount = deal->amount, .n_dims = won->key.n };
    memcpy(win.dims, won->key.dims, won->key.n * sizeof *win.dims);
    struct handed_item item = { .type = HANDED_WIN, .key = teller->entity->id };
    if (contact.len) {
        win.roles = WIN_LEAD | (account.len ? 0 : WIN_CUSTOMER);
        item.payload = win_encode(&win, teller->context);
        hand_item(teller, KIND_CONTACT, contact, item);
    }
    if (account.len) {
        win.roles = WIN_CUSTOMER;
        item.payload = win_encode(&win, teller->context);
        hand_item(teller, KIND_ACCOUNT, account, item);
    }
}

static void list_open(struct deal *deal)
{
    struct list_line line = { { [OPEN_AMOUNT] = deal->amount,
                                [OPEN_CURRENCY] = deal->currency,
                                [OPEN_PIPELINE] = deal->pipeline,
                                [OPEN_STAGE] = deal->course.stage,
                                [OPEN_OWNER] = deal->teller->common[DIM_OWNER],
                                [OPEN_EXPECTED_CLOSE] = deal->expected_close ? deal->expected_close->integer : NO_DAY } };
    tell_open_deal(deal->teller, &line);
}

/* ---- the audit's part ---- */

static void tell_finding(struct deal *deal, enum fact fact)
{
    struct fact_entry *entry = tell(deal->teller, fact, 0);
    set_dim(entry, DIM_PIPELINE, deal->pipeline);
    set_dim(entry, DIM_STAGE, deal->course.stage);
    deal->teller->blemished = true;
}

/* Open, and expected to close before today; open, and no event of its own for `stale_after` days of 24 hours. */
static void tell_open_findings(struct deal *deal)
{
    struct teller *teller = deal->teller;
    const struct rules *rules = teller->context->rules;
    const struct entity_event *newest = &teller->entity->events[teller->entity->n_events - 1];
    bool judged = wanted(teller, FACT_RECORD);
    if (deal->expected_close && (judged || wanted(teller, FACT_OVERDUE_DEAL)) &&
        has_come(teller, zone_midnight(rules->zone, (int32_t)deal->expected_close->integer + 1)))
        tell_finding(deal, FACT_OVERDUE_DEAL);
    if ((judged || wanted(teller, FACT_STALE_DEAL)) &&
        has_come(teller, newest->time_us + rules->stale_after_days * MICROS_PER_DAY))
        tell_finding(deal, FACT_STALE_DEAL);
}

/* ---- the whole ---- */

static name_id or_known(const struct teller *teller, name_id name, enum known_name otherwise)
{
    return name ? name : known(teller->context, otherwise);
}

static name_id month_name(const struct teller *teller, const struct entity_value *date)
{
    if (!date) return 0;
    char text[DAY_TEXT_BYTES];
    day_format((int32_t)date->integer, text);
    return names_intern(teller->context->names, (struct span){ text, sizeof "2026-03" - 1 });
}

void tell_deal(struct teller *teller)
{
    if (teller->created) {
        struct deal deal = { .teller = teller,
                             .pipeline = or_known(teller, tell_name(teller, ATTRIBUTE_PIPELINE), KNOWN_DEFAULT),
                             .sale = or_known(teller, tell_name(teller, ATTRIBUTE_SALE), KNOWN_NEW),
                             .currency = tell_currency(teller),
                             .amount = tell_money(teller, ATTRIBUTE_AMOUNT),
                             .cost = tell_money(teller, ATTRIBUTE_COST),
                             .expected_close = tell_value(teller, ATTRIBUTE_EXPECTED_CLOSE) };
        if (wanted(teller, FACT_STAGE_ENTERED) || wanted(teller, FACT_STAGE_LEFT))
            deal.expected_month = month_name(teller, deal.expected_close);
        follow_course(&deal);
        tell_created(&deal);
        tell_proposals(&deal);
        if (deal.course.status == OPEN) {
            tell_expected(&deal);
            tell_open_findings(&deal);
            list_open(&deal);
        } else {
            struct fact_entry closed = *tell_close(&deal);
            tell_outcomes(&deal);
            if (deal.course.status == WON) hand_win(&deal, &closed);
            teller->ended = true;
        }
        tell_impossible_order(teller);
    }
    tell_audit(teller, false);
}
