/* libFuzzer: what is read as a cell's field or value is written and read again as the same. */
#include "common/error.h"
#include "daemon/counters/cell.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_field(const struct rules *rules, struct span text)
{
    struct cell_key key, again;
    struct buffer out = { 0 };
    if (!cell_field_parse(text, rules, &key)) return;
    cell_field_write(&key, rules, &out);
    REQUIRE(cell_field_parse(buffer_all(&out), rules, &again));
    REQUIRE(key.fact == again.fact && key.n == again.n && !memcmp(key.dims, again.dims, sizeof key.dims));
    buffer_deinit(&out);
}

static void check_value(enum fact fact, struct span text)
{
    struct cell_value value = { 0 }, again = { 0 };
    struct buffer first = { 0 }, second = { 0 };
    if (cell_value_parse(fact, text, &value)) {
        cell_value_write(fact, &value, &first);
        REQUIRE(cell_value_parse(fact, buffer_all(&first), &again));
        cell_value_write(fact, &again, &second);
        REQUIRE(span_equal(buffer_all(&first), buffer_all(&second)));
        if (cell_value_add(&again, &value, -1)) REQUIRE(again.sums[0] == 0);
    }
    cell_value_deinit(&value);
    cell_value_deinit(&again);
    buffer_deinit(&first);
    buffer_deinit(&second);
}

/* The first byte chooses: 0 a field, else a value of that fact. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct rules rules = { .kind[KIND_DEAL] = { .custom = { "region", "tier" }, .n_custom = 2 } };
    if (!len) return 0;
    struct span text = { (const char *)bytes + 1, len - 1 };
    if (bytes[0])
        check_value((enum fact)(bytes[0] % N_FACTS), text);
    else
        check_field(&rules, text);
    return 0;
}
