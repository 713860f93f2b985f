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

/* One that has everything: ids of all forms, values of all types, whatever is handed over. */
static struct entity entity_with_everything(struct bench *bench)
{
    static struct entity_event events[5];
    static struct entity_attribute attributes[8];
    static struct handed_item items[1];
    static uint64_t buried[2] = { 7, UINT64_C(0x8899aabbccddeeff) };
    struct span crm = names_text(&bench->names, 1);
    struct entity_event all[] = {
        { .time_us = 1767225600000000,
          .offset_s = 3600,
          .verb = VERB_CREATED,
          .source = crm,
          .source_id = 1,
          .id = SPAN("9f1c7a52-0b4e-4d8a-a6f3-5e2b9c8d7e60") },
        { .time_us = 1767225601000000,
          .verb = VERB_UPDATED,
          .time_of_record = true,
          .source = crm,
          .source_id = 1,
          .sequence = SPAN("000042"),
          .id = SPAN("D-1-a") },
        { .time_us = 1767225601002000,
          .verb = VERB_STAGE_CHANGED,
          .named = true,
          .name = 4,
          .source = crm,
          .source_id = 1,
          .sequence = SPAN("x"),
          .id = SPAN("D-1-b1234567") },
        { .time_us = 1767225601002003,
          .verb = VERB_WON,
          .source = names_text(&bench->names, 2),
          .source_id = 2,
          .id = SPAN("5f3759df0123456789abcde") },
        { .time_us = 1767225600000000,
          .offset_s = -3600,
          .verb = VERB_MERGED,
          .named = true,
          .text = SPAN("K-2"),
          .source = crm,
          .source_id = 1,
          .id = SPAN("9F1C7A52-0B4E-4D8A-A6F3-5E2B9C8D7E60") },
    };
    struct entity_attribute values[] = {
        { ATTRIBUTE_OWNER, 0, { .type = STORED_NAME, .name = 3 } },
        { ATTRIBUTE_CONTACT, 1, { .type = STORED_TEXT, .text = SPAN("K-10921") } },
        { ATTRIBUTE_ACCOUNT, 2, { .type = STORED_TEXT, .text = SPAN("9f1c7a52-0b4e-4d8a-a6f3-5e2b9c8d7e60") } },
        { ATTRIBUTE_EMAIL, 3, { .type = STORED_HASH, .hash = UINT64_C(0x0123456789abcdef) } },
        { ATTRIBUTE_AMOUNT, 4, { .type = STORED_DECIMAL, .decimal = { -1250, 1 } } },
        { ATTRIBUTE_DUE, 4, { .type = STORED_INTEGER, .integer = -5, .offset_s = 7200 } },
        { ATTRIBUTE_DURATION, 4, { .type = STORED_INTEGER, .integer = 300000 } },
        { ATTRIBUTE_STAGE, 4, { .type = STORED_NULL } },
    };
    memcpy(events, all, sizeof events);
    memcpy(attributes, values, sizeof attributes);
    items[0] = (struct handed_item){ .type = HANDED_TOUCH, .key = SPAN("5call"), .payload = SPAN("xy"), .count = 1 };
    return (struct entity){ .kind = KIND_DEAL,
                            .id = SPAN("D-1"),
                            .events = events,
                            .n_events = 5,
                            .attributes = attributes,
                            .n_attributes = 8,
                            .sums = { 1, -2, 300, 0 },
                            .items = items,
                            .n_items = 1,
                            .link_cut = true,
                            .wake_us = 12345,
                            .generation = 2,
                            .touched_day = 20700,
                            .buried = buried,
                            .n_buried = 2 };
}

static size_t of_hex(const char *hex, uint8_t *bytes)
{
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (uint8_t)byte;
    }
    return n;
}

static void a_record_of_the_first_version_is_read(void **state)
{
    (void)state;
    static const char written[] =
        "017f05009880e4ad950da03801002439663163376135322d306234652d346438612d613666332d35653262396338643765363001a90200"
        "063030303034320005442d312d61086204017804086231323334353637040a100602001735663337353964663031323334353637383961"
        "62636465061ea5a87a9f3801002439463143374135322d304234452d344438412d413646332d35453242394338443745363000034b2d32"
        "0800000103130102074b2d31303932310702022439663163376135322d306234652d346438612d613666332d3565326239633864376536"
        "30040303efcdab89674523010d0405c313011b040609c0701c0406c0cf2400100400f2c0010203d804000101053563616c6c0278790207"
        "00000000000000ffeeddccbbaa998802f80a";
    uint8_t bytes[sizeof written / 2];
    struct bench bench;
    struct entity read = { .kind = KIND_DEAL, .id = SPAN("D-1") };
    set_up(&bench);
    struct entity entity = entity_with_everything(&bench);
    struct buffer now = encode_of(&entity);
    struct span old = { (const char *)bytes, of_hex(written, bytes) };
    assert_true(entity_decode(&read, old, &bench.arena, &bench.names));
    struct buffer again = encode_of(&read);
    assert_true(span_equal(buffer_all(&again), buffer_all(&now)));
    assert_true(now.len < old.len);
    for (size_t cut = 0; cut < old.len; cut++) {
        struct entity broken = { .kind = KIND_DEAL, .id = SPAN("D-1") };
        assert_false(entity_decode(&broken, (struct span){ old.at, cut }, &bench.arena, &bench.names));
    }
    buffer_deinit(&now);
    buffer_deinit(&again);
    tear_down(&bench);
}

/* The day stands last: written anew, as one that no clock shows. */
static void a_day_beyond_any_is_no_record(void **state)
{
    (void)state;
    static const struct {
        int64_t day;
        bool good;
    } days[] = { { 700, true }, { -30000, true }, { INT32_MAX, false }, { INT64_MAX, false }, { INT64_MIN, false } };
    struct bench bench;
    set_up(&bench);
    struct entity entity = entity_with_everything(&bench);
    struct buffer now = encode_of(&entity), day = { 0 };
    buffer_zigzag(&day, 700);
    now.len -= day.len;
    for (size_t i = 0, len = now.len; i < sizeof days / sizeof *days; i++, now.len = len) {
        struct entity read = { .kind = KIND_DEAL, .id = SPAN("D-1") };
        buffer_zigzag(&now, days[i].day);
        assert_int_equal(entity_decode(&read, buffer_all(&now), &bench.arena, &bench.names), days[i].good);
        if (days[i].good) assert_int_equal(read.touched_day, 20000 + days[i].day);
    }
    buffer_deinit(&now);
    buffer_deinit(&day);
    tear_down(&bench);
}

static void everything_comes_back_as_it_was(void **state)
{
    (void)state;
    struct bench bench;
    struct entity again = { .kind = KIND_DEAL, .id = SPAN("D-1") };
    set_up(&bench);
    struct entity entity = entity_with_everything(&bench);
    struct buffer bytes = encode_of(&entity);
    assert_true(entity_decode(&again, buffer_all(&bytes), &bench.arena, &bench.names));
    assert_int_equal(again.n_events, entity.n_events);
    for (uint32_t i = 0; i < entity.n_events; i++) {
        assert_true(span_equal(again.events[i].id, entity.events[i].id));
        assert_true(span_equal(again.events[i].sequence, entity.events[i].sequence));
        assert_true(span_equal(again.events[i].text, entity.events[i].text));
        assert_int_equal(event_compare(&again.events[i], &entity.events[i]), 0);
    }
    assert_int_equal(again.n_attributes, entity.n_attributes);
    assert_true(span_is(again.attributes[1].value.text, "K-10921"));
    assert_true(span_is(again.attributes[2].value.text, "9f1c7a52-0b4e-4d8a-a6f3-5e2b9c8d7e60"));
    assert_int_equal(again.attributes[5].value.offset_s, 7200);
    assert_int_equal(again.attributes[6].value.integer, 300000);
    assert_int_equal(again.attributes[6].value.offset_s, 0);
    for (size_t cut = 0; cut < bytes.len; cut++) {
        struct entity broken = { .kind = KIND_DEAL, .id = SPAN("D-1") };
        assert_false(entity_decode(&broken, (struct span){ bytes.at, cut }, &bench.arena, &bench.names));
    }
    buffer_deinit(&bytes);
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
        cmocka_unit_test(a_record_of_the_first_version_is_read),
        cmocka_unit_test(a_day_beyond_any_is_no_record),
        cmocka_unit_test(everything_comes_back_as_it_was),
        cmocka_unit_test(a_known_event_is_a_duplicate_whatever_it_holds),
        cmocka_unit_test(too_many_events_are_refused_and_change_nothing),
        cmocka_unit_test(a_deleted_contact_leaves_only_a_grave),
        cmocka_unit_test(a_grave_is_the_same_in_any_order_of_arrival),
        cmocka_unit_test(giving_and_taking_back_in_any_order_comes_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
