/* The rows of the contract's "Kinds, verbs, attributes", and how they are found by name. */
#include "daemon/intake/kinds.h"

_Static_assert(N_ATTRIBUTES <= ATTRIBUTE_CUSTOM, "attributes of the contract come before custom ones, and fit 64 bits");

#define ROW(name, type, refers_to)                                                                                               \
    {                                                                                                                            \
        name, sizeof name - 1, type, refers_to                                                                                   \
    }
const struct attribute_row attribute_rows[N_ATTRIBUTES] = {
    [ATTRIBUTE_OWNER] = ROW("owner", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_TEAM] = ROW("team", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_SOURCE] = ROW("source", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_CAMPAIGN] = ROW("campaign", TYPE_REFERENCE, KIND_CAMPAIGN),
    [ATTRIBUTE_EMAIL] = ROW("email", TYPE_PERSONAL, N_KINDS),
    [ATTRIBUTE_PHONE] = ROW("phone", TYPE_PERSONAL, N_KINDS),
    [ATTRIBUTE_NAME] = ROW("name", TYPE_PERSONAL, N_KINDS),
    [ATTRIBUTE_ACCOUNT] = ROW("account", TYPE_REFERENCE, KIND_ACCOUNT),
    [ATTRIBUTE_REFERRED_BY] = ROW("referred_by", TYPE_REFERENCE, KIND_CONTACT),
    [ATTRIBUTE_TAGS] = ROW("tags", TYPE_NAMES, N_KINDS),
    [ATTRIBUTE_INTO] = ROW("into", TYPE_REFERENCE, KIND_CONTACT),
    [ATTRIBUTE_LIST] = ROW("list", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_INDUSTRY] = ROW("industry", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_AMOUNT] = ROW("amount", TYPE_MONEY, N_KINDS),
    [ATTRIBUTE_CURRENCY] = ROW("currency", TYPE_CURRENCY, N_KINDS),
    [ATTRIBUTE_COST] = ROW("cost", TYPE_MONEY, N_KINDS),
    [ATTRIBUTE_STAGE] = ROW("stage", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_PIPELINE] = ROW("pipeline", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_SALE] = ROW("sale", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_CONTACT] = ROW("contact", TYPE_REFERENCE, KIND_CONTACT),
    [ATTRIBUTE_EXPECTED_CLOSE] = ROW("expected_close", TYPE_DATE, N_KINDS),
    [ATTRIBUTE_LOSS_REASON] = ROW("loss_reason", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_COMPETITOR] = ROW("competitor", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_DIRECTION] = ROW("direction", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_PURPOSE] = ROW("purpose", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_DEAL] = ROW("deal", TYPE_REFERENCE, KIND_DEAL),
    [ATTRIBUTE_CASE] = ROW("case", TYPE_REFERENCE, KIND_CASE),
    [ATTRIBUTE_DUE] = ROW("due", TYPE_INSTANT, N_KINDS),
    [ATTRIBUTE_DURATION] = ROW("duration_s", TYPE_DURATION, N_KINDS),
    [ATTRIBUTE_WAIT] = ROW("wait_s", TYPE_DURATION, N_KINDS),
    [ATTRIBUTE_CALLBACK] = ROW("callback", TYPE_FLAG, N_KINDS),
    [ATTRIBUTE_CASE_KIND] = ROW("case_kind", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_PRIORITY] = ROW("priority", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_CHANNEL] = ROW("channel", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_RESPONSE_DUE] = ROW("response_due", TYPE_INSTANT, N_KINDS),
    [ATTRIBUTE_RESOLVE_DUE] = ROW("resolve_due", TYPE_INSTANT, N_KINDS),
    [ATTRIBUTE_SCORE] = ROW("score", TYPE_SCORE, N_KINDS),
    [ATTRIBUTE_BUDGET] = ROW("budget", TYPE_MONEY, N_KINDS),
    [ATTRIBUTE_PAGE] = ROW("page", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_GOAL] = ROW("goal", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_METRIC] = ROW("metric", TYPE_NAME, N_KINDS),
    [ATTRIBUTE_TARGET] = ROW("target", TYPE_TARGET, N_KINDS),
    [ATTRIBUTE_PERIOD] = ROW("period", TYPE_PERIOD, N_KINDS),
};

#define BIT(attribute) (UINT64_C(1) << ATTRIBUTE_##attribute)
const uint64_t reference_attributes =
    BIT(CAMPAIGN) | BIT(ACCOUNT) | BIT(REFERRED_BY) | BIT(INTO) | BIT(CONTACT) | BIT(DEAL) | BIT(CASE);

#define COMMON (BIT(OWNER) | BIT(TEAM) | BIT(SOURCE) | BIT(CAMPAIGN))

/* A verb that needs no attribute: not opening, △, ▲. */
#define VERB(name, verb)                                                                                                         \
    {                                                                                                                            \
        name, VERB_##verb, OPENS_NOT,                                                                                            \
        {                                                                                                                        \
            -1, -1, -1                                                                                                           \
        }                                                                                                                        \
    }
#define ELSE(name, verb)                                                                                                         \
    {                                                                                                                            \
        name, VERB_##verb, OPENS_ELSE,                                                                                           \
        {                                                                                                                        \
            -1, -1, -1                                                                                                           \
        }                                                                                                                        \
    }
#define OPEN(name, verb)                                                                                                         \
    {                                                                                                                            \
        name, VERB_##verb, OPENS,                                                                                                \
        {                                                                                                                        \
            -1, -1, -1                                                                                                           \
        }                                                                                                                        \
    }
#define NEEDS(name, verb, attribute)                                                                                             \
    {                                                                                                                            \
        name, VERB_##verb, OPENS_NOT,                                                                                            \
        {                                                                                                                        \
            ATTRIBUTE_##attribute, -1, -1                                                                                        \
        }                                                                                                                        \
    }

/* clang-format off */
const struct kind_row kind_rows[N_KINDS] = {
    [KIND_CONTACT] = { "contact", {
        OPEN("created", CREATED), ELSE("updated", UPDATED), VERB("qualified", QUALIFIED), VERB("subscribed", SUBSCRIBED),
        VERB("unsubscribed", UNSUBSCRIBED), NEEDS("merged", MERGED, INTO), VERB("deleted", DELETED) }, 7,
        COMMON | BIT(EMAIL) | BIT(PHONE) | BIT(NAME) | BIT(ACCOUNT) | BIT(REFERRED_BY) | BIT(TAGS) | BIT(INTO) | BIT(LIST) },
    [KIND_ACCOUNT] = { "account", {
        OPEN("created", CREATED), ELSE("updated", UPDATED), VERB("churned", CHURNED), VERB("deleted", DELETED) }, 4,
        COMMON | BIT(NAME) | BIT(INDUSTRY) },
    [KIND_DEAL] = { "deal", {
        OPEN("created", CREATED), ELSE("updated", UPDATED), NEEDS("stage_changed", STAGE_CHANGED, STAGE),
        VERB("proposal_sent", PROPOSAL_SENT), VERB("won", WON), VERB("lost", LOST), VERB("reopened", REOPENED),
        VERB("deleted", DELETED) }, 8,
        COMMON | BIT(AMOUNT) | BIT(CURRENCY) | BIT(COST) | BIT(STAGE) | BIT(PIPELINE) | BIT(SALE) | BIT(CONTACT) | BIT(ACCOUNT) |
        BIT(EXPECTED_CLOSE) | BIT(LOSS_REASON) | BIT(COMPETITOR) },
    [KIND_CALL] = { "call", {
        ELSE("scheduled", SCHEDULED), OPEN("completed", COMPLETED), OPEN("missed", MISSED), VERB("cancelled", CANCELLED),
        VERB("deleted", DELETED) }, 5,
        COMMON | BIT(DIRECTION) | BIT(PURPOSE) | BIT(DEAL) | BIT(CASE) | BIT(CONTACT) | BIT(DUE) | BIT(DURATION) | BIT(WAIT) |
        BIT(CALLBACK) | BIT(COST) | BIT(CURRENCY) },
    [KIND_MEETING] = { "meeting", {
        ELSE("scheduled", SCHEDULED), OPEN("held", HELD), VERB("cancelled", CANCELLED), VERB("deleted", DELETED) }, 4,
        COMMON | BIT(DEAL) | BIT(CONTACT) | BIT(DUE) | BIT(DURATION) },
    [KIND_EMAIL] = { "email", { /* its `due` is named by the contract as unused: ignored */
        OPEN("sent", SENT), ELSE("delivered", DELIVERED), ELSE("opened", OPENED), ELSE("clicked", CLICKED),
        ELSE("replied", REPLIED), ELSE("bounced", BOUNCED), ELSE("complained", COMPLAINED), VERB("deleted", DELETED) }, 8,
        COMMON | BIT(CONTACT) | BIT(DEAL) | BIT(CASE) },
    [KIND_CASE] = { "case", {
        OPEN("opened", OPENED), ELSE("updated", UPDATED), VERB("assigned", ASSIGNED), VERB("responded", RESPONDED),
        VERB("resolved", RESOLVED), VERB("closed", CLOSED), VERB("reopened", REOPENED), NEEDS("rated", RATED, SCORE),
        VERB("deleted", DELETED) }, 9,
        COMMON | BIT(CASE_KIND) | BIT(PRIORITY) | BIT(CHANNEL) | BIT(CONTACT) | BIT(ACCOUNT) | BIT(RESPONSE_DUE) |
        BIT(RESOLVE_DUE) | BIT(SCORE) },
    [KIND_INTERACTION] = { "interaction", { OPEN("logged", LOGGED), VERB("deleted", DELETED) }, 2,
        COMMON | BIT(CASE) | BIT(CONTACT) | BIT(CHANNEL) | BIT(COST) | BIT(CURRENCY) | BIT(DURATION) },
    [KIND_CAMPAIGN] = { "campaign", {
        OPEN("started", STARTED), ELSE("updated", UPDATED), VERB("ended", ENDED), VERB("deleted", DELETED) }, 4,
        COMMON | BIT(NAME) | BIT(CHANNEL) | BIT(BUDGET) | BIT(COST) | BIT(CURRENCY) },
    [KIND_RESPONSE] = { "response", { OPEN("received", RECEIVED), VERB("deleted", DELETED) }, 2,
        COMMON | BIT(CONTACT) | BIT(CHANNEL) },
    [KIND_VISIT] = { "visit", {
        OPEN("started", STARTED), ELSE("page_viewed", PAGE_VIEWED), ELSE("goal_completed", GOAL_COMPLETED),
        VERB("ended", ENDED), VERB("deleted", DELETED) }, 5,
        COMMON | BIT(CONTACT) | BIT(PAGE) | BIT(GOAL) },
    [KIND_GOAL] = { "goal", {
        { "set", VERB_SET, OPENS, { ATTRIBUTE_METRIC, ATTRIBUTE_TARGET, ATTRIBUTE_PERIOD } }, VERB("removed", REMOVED) }, 2,
        COMMON | BIT(METRIC) | BIT(TARGET) | BIT(CURRENCY) | BIT(PERIOD) | BIT(PIPELINE) },
    [KIND_USER] = { "user", {
        OPEN("created", CREATED), ELSE("signed_in", SIGNED_IN), VERB("deactivated", DEACTIVATED), VERB("deleted", DELETED) }, 4,
        COMMON | BIT(NAME) },
};

/* Attributes by a hash of their names that is free of collisions: 1 + enum attribute, 0 = none. The factors were searched for;
 * a new attribute may need others (test_decode finds every attribute by its name). */
enum { NAME_SLOTS = 128 };
static const uint8_t name_slots[NAME_SLOTS] = {
    [0] = 1 + ATTRIBUTE_LOSS_REASON, [1] = 1 + ATTRIBUTE_CASE, [3] = 1 + ATTRIBUTE_METRIC,
    [13] = 1 + ATTRIBUTE_PAGE, [19] = 1 + ATTRIBUTE_SCORE, [21] = 1 + ATTRIBUTE_NAME,
    [22] = 1 + ATTRIBUTE_CASE_KIND, [23] = 1 + ATTRIBUTE_CALLBACK, [27] = 1 + ATTRIBUTE_PURPOSE,
    [31] = 1 + ATTRIBUTE_DURATION, [35] = 1 + ATTRIBUTE_DUE, [37] = 1 + ATTRIBUTE_RESPONSE_DUE,
    [42] = 1 + ATTRIBUTE_CONTACT, [44] = 1 + ATTRIBUTE_COST, [45] = 1 + ATTRIBUTE_SOURCE,
    [46] = 1 + ATTRIBUTE_COMPETITOR, [52] = 1 + ATTRIBUTE_GOAL, [53] = 1 + ATTRIBUTE_TEAM,
    [54] = 1 + ATTRIBUTE_CHANNEL, [56] = 1 + ATTRIBUTE_DEAL, [60] = 1 + ATTRIBUTE_BUDGET,
    [62] = 1 + ATTRIBUTE_EMAIL, [63] = 1 + ATTRIBUTE_REFERRED_BY, [65] = 1 + ATTRIBUTE_SALE,
    [66] = 1 + ATTRIBUTE_ACCOUNT, [67] = 1 + ATTRIBUTE_PHONE, [76] = 1 + ATTRIBUTE_OWNER,
    [77] = 1 + ATTRIBUTE_PRIORITY, [78] = 1 + ATTRIBUTE_CAMPAIGN, [79] = 1 + ATTRIBUTE_INTO,
    [80] = 1 + ATTRIBUTE_LIST, [83] = 1 + ATTRIBUTE_TAGS, [84] = 1 + ATTRIBUTE_DIRECTION,
    [85] = 1 + ATTRIBUTE_PIPELINE, [89] = 1 + ATTRIBUTE_INDUSTRY, [91] = 1 + ATTRIBUTE_WAIT,
    [96] = 1 + ATTRIBUTE_AMOUNT, [100] = 1 + ATTRIBUTE_TARGET, [103] = 1 + ATTRIBUTE_STAGE,
    [105] = 1 + ATTRIBUTE_EXPECTED_CLOSE, [116] = 1 + ATTRIBUTE_PERIOD, [123] = 1 + ATTRIBUTE_RESOLVE_DUE,
    [125] = 1 + ATTRIBUTE_CURRENCY,
};
/* clang-format on */

static unsigned name_slot(struct span name)
{
    const uint8_t *at = (const uint8_t *)name.at;
    return (unsigned)(name.len * 42 + at[0] * 60U + at[1] * 20U + at[name.len - 1] * 61U) % NAME_SLOTS;
}

static bool name_is(const char *name, struct span text)
{
    return name[0] == text.at[0] && span_is(text, name);
}

int attribute_find(struct span name)
{
    if (name.len < 2) return -1;
    int attribute = name_slots[name_slot(name)] - 1;
    if (attribute < 0 || attribute_rows[attribute].name_len != name.len) return -1;
    return memcmp(attribute_rows[attribute].name, name.at, name.len) ? -1 : attribute;
}

const struct kind_row *kind_find(struct span name, enum kind *kind)
{
    if (!name.len) return NULL;
    for (int i = 0; i < N_KINDS; i++) {
        if (!name_is(kind_rows[i].name, name)) continue;
        *kind = (enum kind)i;
        return &kind_rows[i];
    }
    return NULL;
}

const struct verb_row *verb_find(enum kind kind, struct span name)
{
    if (!name.len) return NULL;
    const struct kind_row *row = &kind_rows[kind];
    for (int i = 0; i < row->n_verbs; i++)
        if (name_is(row->verbs[i].name, name)) return &row->verbs[i];
    return NULL;
}

enum opening verb_opening(enum kind kind, enum verb verb)
{
    if (kind >= N_KINDS) return OPENS_NOT;
    const struct kind_row *row = &kind_rows[kind];
    for (int i = 0; i < row->n_verbs; i++)
        if (row->verbs[i].verb == verb) return row->verbs[i].opening;
    return OPENS_NOT;
}
