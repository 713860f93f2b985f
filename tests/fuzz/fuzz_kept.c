/* libFuzzer: what is read as what a tenant has kept, or as a zone's table, is written and read again as the same. */
#include "common/error.h"
#include "common/zone_bytes.h"
#include "daemon/facts/kept.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_kept(const struct rules *rules, struct span text)
{
    struct kept kept, again;
    struct buffer out = { 0 };
    struct span undeclared = { 0 };
    if (!kept_read(text, rules, &kept, &undeclared)) return;
    kept_write(&kept, rules, &out);
    REQUIRE(kept_read(buffer_all(&out), rules, &again, &undeclared));
    REQUIRE(kept_covers(&kept, &again) && kept_covers(&again, &kept));
    buffer_clear(&out);
    kept_write_added(&(struct kept){ 0 }, &kept, rules, SIZE_MAX, &out);
    buffer_deinit(&out);
}

static void check_zone(struct span text)
{
    struct arena arena = { 0 };
    struct zone zone = { .steps = NULL }, again = { .steps = NULL };
    struct buffer out = { 0 };
    if (zone_read(text, &zone, &arena)) {
        zone_write(&zone, &out);
        REQUIRE(zone_read(buffer_all(&out), &again, &arena) && again.n_steps == zone.n_steps);
        for (size_t i = 0; i < zone.n_steps; i++)
            REQUIRE(again.steps[i].from_us == zone.steps[i].from_us && again.steps[i].offset_s == zone.steps[i].offset_s);
    }
    buffer_deinit(&out);
    arena_deinit(&arena);
}

/* The first byte chooses: 0 a zone's table, else what is kept. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct rules rules = { .kind[KIND_DEAL] = { .custom = { "region", "tier" }, .n_custom = 2 } };
    if (!len) return 0;
    struct span text = { (const char *)bytes + 1, len - 1 };
    if (bytes[0])
        check_kept(&rules, text);
    else
        check_zone(text);
    return 0;
}
