/* libFuzzer: instants, days and decimals that are read are within the contract's limits, and survive being written. */
#include "common/decimal.h"
#include "common/error.h"
#include "common/instant.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_instant(struct span text)
{
    int64_t at_us, again_us;
    char written[INSTANT_TEXT_BYTES];
    if (!instant_parse(text, &at_us)) return;
    REQUIRE(civil_valid(civil_of_day(local_day(at_us, 0))));
    instant_format(at_us, written);
    REQUIRE(instant_parse(span_of(written), &again_us));
    REQUIRE(again_us <= at_us && at_us - again_us < MICROS_PER_MS);
}

static void check_day(struct span text)
{
    int32_t day;
    char written[DAY_TEXT_BYTES];
    if (!day_parse(text, &day)) return;
    day_format(day, written);
    REQUIRE(span_is(text, written));
}

static void check_decimal(struct span text)
{
    struct decimal decimal, again;
    char written[MONEY_TEXT_BYTES];
    if (!decimal_parse(text, &decimal)) return;
    money_format(decimal.digits, decimal.scale, written);
    REQUIRE(decimal_parse(span_of(written), &again));
    REQUIRE(again.digits == decimal.digits && again.scale == decimal.scale);
    for (int decimals = 0; decimals <= 4; decimals++)
        if (decimal_fits(decimal, decimals)) REQUIRE(decimal_minor(decimal, decimals) > -INT64_C(1000000000000000));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct span text = { (const char *)bytes, len };
    check_instant(text);
    check_day(text);
    check_decimal(text);
    return 0;
}
