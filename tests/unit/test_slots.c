/* Slots of a Redis Cluster: where a key lies, who has which slot by what a node says, and what it says wrongly. */
#include "daemon/state/slots.h"
#include "tests/unit/unit.h"

static void of_known_keys(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        uint16_t slot;
    } known[] = {
        { "123456789", 0x31C3 }, /* the check value of CRC-16/XMODEM, from the specification of Redis Cluster */
        { "foo", 12182 },        { "bar", 5061 },           { "hello", 866 },          { "", 0 },
        { "somekey", 11058 },    { "foo{hash_tag}", 2515 }, { "bar{hash_tag}", 2515 },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (slot_of(span_of(known[i].key)) != known[i].slot)
            fail_msg("%s: found %d, wanted %d", known[i].key, slot_of(span_of(known[i].key)), known[i].slot);
}

/* The examples of the specification: what counts is between the first { and the next }. */
static void of_hash_tags(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        { "{user1000}.following", "user1000" },
        { "foo{{bar}}zap", "{bar" },
        { "foo{bar}{zap}", "bar" },
        { "crm:{acme}:deal:17", "acme" },
        { "crm:rebuild:{acme}:state", "acme" },
        { "crm:slots:{crm:tenants}", "crm:tenants" },
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_int_equal(slot_of(span_of(same[i][0])), slot_of(span_of(same[i][1])));
    static const char *const whole[] = { "foo{}{bar}", "foo{bar", "foo}bar{", "}{" };
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        char other[32];
        snprintf(other, sizeof other, "{%s", whole[i]); /* would be the same if a tag were found in it by mistake */
        assert_int_not_equal(slot_of(span_of(whole[i])), slot_of(SPAN("bar")));
        assert_int_not_equal(slot_of(span_of(whole[i])), slot_of(span_of(other)));
    }
}

static void a_tag_for_each_slot(void **state)
{
    (void)state;
    static uint32_t tags[N_SLOTS];
    slot_tags(tags);
    for (int slot = 0; slot < N_SLOTS; slot++) {
        char key[64];
        snprintf(key, sizeof key, "crm:marks:{%u}", tags[slot]);
        assert_int_equal(slot_of(span_of(key)), slot);
    }
}

/* ---- CLUSTER SLOTS ---- */

/* From the wire form, as hiredis reads it. */
static bool read_wire(const char *wire, struct slot_map *map, struct error *error)
{
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;
    redisReaderFeed(reader, wire, strlen(wire));
    assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
    assert_non_null(reply);
    bool good = slot_map_read(map, reply, "asked.host", error);
    freeReplyObject(reply);
    redisReaderFree(reader);
    return good;
}

#define A "*3\r\n$1\r\na\r\n:7000\r\n$2\r\nid\r\n"
#define B "*3\r\n$1\r\nb\r\n:7001\r\n$2\r\nid\r\n"

static void who_has_which(void **state)
{
    (void)state;
    struct slot_map map;
    struct error error = { "" };
    assert_true(
        read_wire("*3\r\n*4\r\n:0\r\n:5460\r\n" A B "*3\r\n:5461\r\n:16382\r\n" B "*3\r\n:16383\r\n:16383\r\n" A, &map, &error));
    assert_int_equal(map.n_nodes, 2);
    assert_int_equal(slot_map_unserved(&map), 0);
    assert_string_equal(map.nodes[map.owner[0]].host, "a");
    assert_string_equal(map.nodes[map.owner[5461]].host, "b");
    assert_int_equal(map.nodes[map.owner[5461]].port, 7001);
    assert_int_equal(map.owner[16383], map.owner[5460]);
    slot_map_deinit(&map);
    assert_int_equal(slot_map_unserved(&map), N_SLOTS);
}

/* A node that does not know its own address leaves it out: it is the one that was asked. */
static void the_one_that_was_asked(void **state)
{
    (void)state;
    static const char *const unnamed[] = { "$-1\r\n", "$0\r\n\r\n" };
    for (size_t i = 0; i < 2; i++) {
        struct slot_map map;
        struct error error = { "" };
        char wire[200];
        snprintf(wire, sizeof wire, "*1\r\n*3\r\n:1\r\n:16383\r\n*3\r\n%s:6379\r\n$2\r\nid\r\n", unnamed[i]);
        assert_true(read_wire(wire, &map, &error));
        assert_string_equal(map.nodes[0].host, "asked.host");
        assert_int_equal(slot_map_unserved(&map), 1);
        slot_map_deinit(&map);
    }
}

static void malformed(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "+OK\r\n",
        "$-1\r\n",
        "*1\r\n:1\r\n",
        "*1\r\n*2\r\n:0\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n:7000\r\n",
        "*1\r\n*3\r\n:0\r\n$1\r\n1\r\n" A,
        "*1\r\n*3\r\n:-1\r\n:1\r\n" A,
        "*1\r\n*3\r\n:2\r\n:1\r\n" A,
        "*1\r\n*3\r\n:0\r\n:16384\r\n" A,
        "*1\r\n*3\r\n:0\r\n:1\r\n*0\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*1\r\n$1\r\na\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n:0\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n:65536\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n$4\r\n7000\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\n?\r\n:7000\r\n",
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n:1\r\n:7000\r\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct slot_map map;
        struct error error = { "" };
        if (read_wire(wrong[i], &map, &error)) fail_msg("taken: %s", wrong[i]);
        assert_non_null(strstr(error.text, "CLUSTER SLOTS"));
        assert_int_equal(map.n_nodes, 0);
        assert_int_equal(slot_map_unserved(&map), N_SLOTS);
    }
}

static void a_host_that_is_too_long(void **state)
{
    (void)state;
    struct slot_map map;
    struct error error = { "" };
    char wire[500], host[301];
    memset(host, 'h', 300);
    host[300] = 0;
    snprintf(wire, sizeof wire, "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$300\r\n%s\r\n:7000\r\n", host);
    assert_false(read_wire(wire, &map, &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_known_keys),           cmocka_unit_test(of_hash_tags),
        cmocka_unit_test(a_tag_for_each_slot),     cmocka_unit_test(who_has_which),
        cmocka_unit_test(the_one_that_was_asked),  cmocka_unit_test(malformed),
        cmocka_unit_test(a_host_that_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
