/* libFuzzer: whatever a server answers to CLUSTER SLOTS, and whatever redis.url says, is read or refused. */
#include "daemon/state/slots.h"

enum {
    ELEMENTS_DIGITS = 4
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void read_url(struct span url)
{
    struct address address;
    struct error error = { "" };
    if (address_parse(&address, url, &error)) REQUIRE(address.n_seeds <= ADDRESS_SEEDS_MAX);
}

/* hiredis makes room for as many elements as an array says it has, before they come: not what is tried here. */
static bool is_huge(const char *bytes, size_t len)
{
    size_t digits = 0;
    bool counting = false;
    for (size_t i = 0; i < len; i++) {
        if (strchr("*%~>", bytes[i]) && bytes[i])
            counting = true, digits = 0;
        else if (bytes[i] < '0' || bytes[i] > '9')
            counting = counting && bytes[i] == '+';
        else if (counting && ++digits > ELEMENTS_DIGITS)
            return true;
    }
    return false;
}

static void read_slots(const char *bytes, size_t len)
{
    if (is_huge(bytes, len)) return;
    static struct slot_map map;
    struct error error = { "" };
    void *reply = NULL;
    redisReader *reader = redisReaderCreate();
    redisReaderFeed(reader, bytes, len);
    if (redisReaderGetReply(reader, &reply) == REDIS_OK && reply) {
        if (slot_map_read(&map, reply, "asked", &error))
            for (int slot = 0; slot < N_SLOTS; slot++) REQUIRE(map.owner[slot] == NO_OWNER || map.owner[slot] < map.n_nodes);
        slot_map_deinit(&map);
        freeReplyObject(reply);
    }
    redisReaderFree(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    read_url((struct span){ (const char *)bytes, len });
    read_slots((const char *)bytes, len);
    return 0;
}
