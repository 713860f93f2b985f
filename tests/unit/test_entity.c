/* Entities as sets of events: order of arrival leaves no trace, bytes come back as they were, graves keep only hashes. */
#include "daemon/entity/entity.h"
#include "daemon/facts/facts.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static struct zone_step utc_step = { INT64_MIN, 0 };
static const struct zone utc = { .name = "UTC", .steps = &utc_step, .n_steps = 1 };
static const struct rules rules = { .zone = &utc, .currency = "EUR" };

struct bench {
    struct arena arena;
    struct names names;
    struct entity_context context;
};

static void set_up(struct bench *bench)
{
    *bench = (struct bench){ 0 };
    names_init(&bench->names);
    bench->context = (struct entity_context){
        .arena = &bench->arena, .names = &bench->names, .rules = &rules, .secret = { 1, 2 }, .max_events = 100
    };
    /* names get the same numbers whatever comes first */
    static const char *const known[] = { "/crm", "u1", "u2", "offer", "talk", "main", "news" };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) names_intern(&bench->names, span_of(known[i]));
}

static void tear_down(struct bench *bench)
{
    names_deinit(&bench->names);
    arena_deinit(&bench->arena);
}

static struct event make(enum kind kind, enum verb verb, const char *id, int64_t time_us,
                         const struct event_attribute *attributes, size_t n)
{
    return (struct event){ .kind = kind,
                           .verb = verb,
                           .source = SPAN("/crm"),
                           .id = span_of(id),
                           .time_us = time_us,
                           .attributes = attributes,
                           .n_attributes = n };
}

static struct event_attribute text_of(uint16_t attribute, const char *text)
{
    return (struct event_attribute){ attribute, { .type = VALUE_TEXT, .text = span_of(text) } };
}

static struct buffer encode_of(const struct entity *entity)
{
    struct buffer bytes = { 0 };
    entity_encode(entity, &bytes);
    return bytes;
}

enum {
    N_EVENTS = 7
};

static void deal_events(struct event *events)
{
    static struct event_attribute owner1[1], owner2[1], stage1[2], stage2[1], untimed[1];
    owner1[0] = text_of(ATTRIBUTE_OWNER, "u1");
    owner2[0] = text_of(ATTRIBUTE_OWNER, "u2");
    stage1[0] = text_of(ATTRIBUTE_STAGE, "offer");
    stage1[1] = (struct event_attribute){ ATTRIBUTE_AMOUNT, { .type = VALUE_DECIMAL, .decimal = { 1250, 1 } } };
    stage2[0] = text_of(ATTRIBUTE_STAGE, "talk");
    untimed[0] = text_of(ATTRIBUTE_OWNER, "u1");
    events[0] = make(KIND_DEAL, VERB_CREATED, "a1", 1000, owner1, 1);
    events[1] = make(KIND_DEAL, VERB_UPDATED, "a2", 2000, owner2, 1);
    events[2] = make(KIND_DEAL, VERB_STAGE_CHANGED, "b1", 2000, stage1, 2); /* the same instant: the id decides */
    events[3] = make(KIND_DEAL, VERB_UPDATED, "a3", 1500, stage2, 1);
    events[4] = make(KIND_DEAL, VERB_UPDATED, "c1", 1700, untimed, 1);
    events[4].time_of_record = true;
    events[5] = make(KIND_DEAL, VERB_WON, "d1", 5000, NULL, 0);
    events[6] = events[4]; /* the copy of an event without time: the earliest record counts */
    events[6].time_us = 900;
}

static void shuffle(struct event *events, int n, unsigned *seed)
{
    for (int i = n - 1; i > 0; i--) {
        int j = rand_r(seed) % (i + 1);
        struct event swap = events[i];
        events[i] = events[j];
        events[j] = swap;
    }
}

static void any_order_of_arrival_gives_the_same_entity(void **state)
{
    (void)state;
    struct buffer expected = { 0 };
    unsigned seed = 7;
    for (int round = 0; round < 500; round++) {
        struct bench bench;
        struct event events[N_EVENTS];
        struct entity entity = { .kind = KIND_DEAL, .id = SPAN("D-1"), .wake_us = NEVER };
        set_up(&bench);
        deal_events(events);
        if (round) shuffle(events, N_EVENTS, &seed);
        for (int i = 0; i < N_EVENTS; i++) entity_apply(&entity, &bench.context, &events[i]);
        struct buffer bytes = encode_of(&entity);
        assert_int_equal(entity.n_events, 6);
        assert_true(names_text(&bench.names, entity_name(&entity, ATTRIBUTE_OWNER, -1)).at[1] == '2');
        if (!round)
            expected = bytes;
        else {
            assert_int_equal(bytes.len, expected.len);
            assert_memory_equal(bytes.at, expected.at, bytes.len);
            buffer_deinit(&bytes);
        }
        tear_down(&bench);
    }
    buffer_deinit(&expected);
}

static void bytes_come_back_as_they_were(void **state)
{
    (void)state;
    struct bench bench;
    struct event events[N_EVENTS];
    struct entity entity = { .kind = KIND_DEAL, .id = SPAN("D-1"), .wake_us = 12345 },
                  again = { .kind = KIND_DEAL, .id = SPAN("D-1") };
    set_up(&bench);
    deal_events(events);
    for (int i = 0; i < N_EVENTS; i++) entity_apply(&entity, &bench.context, &events[i]);
    struct handed_item touch = { .type = HANDED_TOUCH, .key = SPAN("5call"), .payload = SPAN("xy") };
    entity_hand_item(&entity, &bench.arena, &touch, 1);
    entity.sums[HANDED_CALLS] = 3;
    struct buffer of_the_first = encode_of(&entity);
    entity.generation = 1;
    struct buffer bytes = encode_of(&entity);
    assert_true(entity_decode(&again, buffer_all(&bytes), &bench.arena, &bench.names));
    assert_int_equal(again.wake_us, 12345);
    assert_int_equal(again.sums[HANDED_CALLS], 3);
    assert_int_equal(again.generation, 1);
    assert_int_equal(bytes.len, of_the_first.len + 1); /* the first takes no room */
    struct entity first = { .kind = KIND_DEAL, .id = SPAN("D-1"), .generation = 5 };
    assert_true(entity_decode(&first, buffer_all(&of_the_first), &bench.arena, &bench.names));
    assert_int_equal(first.generation, 0);
    buffer_deinit(&of_the_first);
    struct buffer twice = encode_of(&again);
    assert_int_equal(twice.len, bytes.len);
    assert_memory_equal(twice.at, bytes.at, bytes.len);
    for (size_t cut = 0; cut < bytes.len; cut++) { /* what is cut off is never read as something else */
        struct entity broken = { .kind = KIND_DEAL, .id = SPAN("D-1") };
        assert_false(entity_decode(&broken, (struct span){ bytes.at, cut }, &bench.arena, &bench.names));
    }
    buffer_deinit(&bytes);
    buffer_deinit(&twice);
    tear_down(&bench);
}

static void a_known_event_is_a_duplicate_whatever_it_holds(void **state)
{
    (void)state;
    struct bench bench;
    struct entity entity = { .kind = KIND_DEAL, .id = SPAN("D-1"), .wake_us = NEVER };
    set_up(&bench);
    struct event_attribute owner = text_of(ATTRIBUTE_OWNER, "u1"), other = text_of(ATTRIBUTE_OWNER, "u2");
    struct event first = make(KIND_DEAL, VERB_CREATED, "x", 1000, &owner, 1),
                 copy = make(KIND_DEAL, VERB_UPDATED, "x", 9000, &other, 1);
    assert_int_equal(entity_apply(&entity, &bench.context, &first), APPLIED);
    assert_int_equal(entity_apply(&entity, &bench.context, &copy), DUPLICATE);
    assert_true(span_is(names_text(&bench.names, entity_name(&entity, ATTRIBUTE_OWNER, -1)), "u1"));
    copy.source = SPAN("/other"); /* the same id of another source is another event */
    assert_int_equal(entity_apply(&entity, &bench.context, &copy), APPLIED);
    tear_down(&bench);
}

static void too_many_events_are_refused_and_change_nothing(void **state)
{
    (void)state;
    struct bench bench;
    struct entity entity = { .kind = KIND_DEAL, .id = SPAN("D-1"), .wake_us = NEVER };
    set_up(&bench);
    bench.context.max_events = 2;
    struct event events[3] = { make(KIND_DEAL, VERB_CREATED, "a", 1, NULL, 0), make(KIND_DEAL, VERB_UPDATED, "b", 2, NULL, 0),
                               make(KIND_DEAL, VERB_WON, "c", 3, NULL, 0) };
    assert_int_equal(entity_apply(&entity, &bench.context, &events[0]), APPLIED);
    assert_int_equal(entity_apply(&entity, &bench.context, &events[1]), APPLIED);
    assert_int_equal(entity_apply(&entity, &bench.context, &events[2]), TOO_MANY);
    assert_int_equal(entity.n_events, 2);
    assert_int_equal(entity_apply(&entity, &bench.context, &events[1]), DUPLICATE);
    tear_down(&bench);
}

static void a_deleted_contact_leaves_only_a_grave(void **state)
{
    (void)state;
    struct bench bench;
    struct entity entity = { .kind = KIND_CONTACT, .id = SPAN("K-1"), .wake_us = NEVER };
    set_up(&bench);
    struct event_attribute attributes[] = { text_of(ATTRIBUTE_OWNER, "u1"), text_of(ATTRIBUTE_EMAIL, "ann@x.test") };
    struct event_attribute into = text_of(ATTRIBUTE_INTO, "K-2");
    struct event created = make(KIND_CONTACT, VERB_CREATED, "personal-id", 1000, attributes, 2);
    struct event merged = make(KIND_CONTACT, VERB_MERGED, "m", 2000, &into, 1),
                 deleted = make(KIND_CONTACT, VERB_DELETED, "d", 3000, NULL, 0);
    entity_apply(&entity, &bench.context, &created);
    entity_apply(&entity, &bench.context, &merged);
    entity_apply(&entity, &bench.context, &deleted);
    struct buffer bytes = encode_of(&entity);
    assert_null(memmem(bytes.at, bytes.len, "personal-id", 11));
    assert_non_null(memmem(bytes.at, bytes.len, "K-2", 3)); /* the one it was merged into stays known */
    assert_int_equal(entity.n_attributes, 0);
    assert_int_equal(entity_apply(&entity, &bench.context, &created), DUPLICATE); /* the grave knows its events */
    struct event late = make(KIND_CONTACT, VERB_UPDATED, "late", 1500, attributes, 2);
    assert_int_equal(entity_apply(&entity, &bench.context, &late), APPLIED);
    assert_int_equal(entity.n_attributes, 0); /* buried at once */
    assert_int_equal(entity_apply(&entity, &bench.context, &late), DUPLICATE);
    buffer_deinit(&bytes);
    tear_down(&bench);
}

enum {
    N_CONTACT_EVENTS = 6
};

/* A copy moves the unsubscription from behind the `deleted` to before it, another the newest merge to before the older one. */
static void contact_events(struct event *events)
{
    static struct event_attribute attributes[2], first_into, second_into;
    attributes[0] = text_of(ATTRIBUTE_OWNER, "u1");
    attributes[1] = text_of(ATTRIBUTE_REFERRED_BY, "K-9");
    first_into = text_of(ATTRIBUTE_INTO, "K-2");
    second_into = text_of(ATTRIBUTE_INTO, "K-3");
    events[0] = make(KIND_CONTACT, VERB_MERGED, "m1", 2000, &first_into, 1);
    events[1] = make(KIND_CONTACT, VERB_DELETED, "d", 3000, attributes, 2);
    events[2] = make(KIND_CONTACT, VERB_UNSUBSCRIBED, "c", 4000, attributes, 2);
    events[2].time_of_record = true;
    events[3] = events[2];
    events[3].time_us = 3000; /* the instant of the `deleted`: the id decides */
    events[4] = make(KIND_CONTACT, VERB_MERGED, "m2", 5000, &second_into, 1);
    events[4].time_of_record = true;
    events[5] = events[4];
    events[5].time_us = 1000;
}

static void a_grave_is_the_same_in_any_order_of_arrival(void **state)
{
    (void)state;
    struct buffer expected = { 0 };
    unsigned seed = 11;
    for (int round = 0; round < 1000; round++) {
        struct bench bench;
        struct event events[N_CONTACT_EVENTS];
        struct entity entity = { .kind = KIND_CONTACT, .id = SPAN("K-1"), .wake_us = NEVER };
        set_up(&bench);
        contact_events(events);
        if (round) shuffle(events, N_CONTACT_EVENTS, &seed);
        for (int i = 0; i < N_CONTACT_EVENTS; i++) entity_apply(&entity, &bench.context, &events[i]);
        struct buffer bytes = encode_of(&entity);
        assert_null(memmem(bytes.at, bytes.len, "K-9", 3));
        assert_int_equal(entity.n_attributes, 0);
        assert_true(entity.events[entity.n_events - 1].verb == VERB_DELETED);
        assert_true(span_is(contact_link(&entity)->text, "K-2"));
        if (round) assert_true(span_equal(buffer_all(&bytes), buffer_all(&expected)));
        buffer_deinit(round ? &bytes : &expected);
        if (!round) expected = bytes;
        tear_down(&bench);
    }
    buffer_deinit(&expected);
}

static void giving_and_taking_back_in_any_order_comes_to_nothing(void **state)
{
    (void)state;
    struct bench bench;
    struct entity entity = { .kind = KIND_CONTACT, .id = SPAN("K-1"), .wake_us = NEVER };
    set_up(&bench);
    struct handed_item old = { .type = HANDED_WIN, .key = SPAN("D-1"), .payload = SPAN("old") },
                       new = { .type = HANDED_WIN, .key = SPAN("D-1"), .payload = SPAN("new") };
    entity_hand_item(&entity, &bench.arena, &old, -1); /* taken back before it is given */
    entity_hand_item(&entity, &bench.arena, &new, 1);
    entity_hand_item(&entity, &bench.arena, &old, 1);
    assert_int_equal(entity.n_items, 1);
    assert_true(span_is(entity.items[0].payload, "new"));
    entity_hand_item(&entity, &bench.arena, &new, -1);
    assert_true(entity_is_empty(&entity));
    tear_down(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_of_arrival_gives_the_same_entity),
        cmocka_unit_test(bytes_come_back_as_they_were),
        cmocka_unit_test(a_known_event_is_a_duplicate_whatever_it_holds),
        cmocka_unit_test(too_many_events_are_refused_and_change_nothing),
        cmocka_unit_test(a_deleted_contact_leaves_only_a_grave),
        cmocka_unit_test(a_grave_is_the_same_in_any_order_of_arrival),
        cmocka_unit_test(giving_and_taking_back_in_any_order_comes_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
