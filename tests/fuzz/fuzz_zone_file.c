/* libFuzzer: what is read as a zoneinfo file has steps in order, and every local time an instant. */
#include "common/error.h"
#include "daemon/settings/zone_file.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct zone zone = { 0 };
    struct error error = { 0 };
    if (!zone_file_parse((struct span){ (const char *)bytes, len }, &zone, &error)) {
        REQUIRE(error.text[0] && !zone.steps);
        return 0;
    }
    REQUIRE(zone.n_steps > 0 && zone.steps[0].from_us == INT64_MIN);
    for (size_t i = 1; i < zone.n_steps; i++) {
        REQUIRE(zone.steps[i - 1].from_us < zone.steps[i].from_us);
        REQUIRE(zone.steps[i - 1].offset_s != zone.steps[i].offset_s);
        REQUIRE(zone_offset(&zone, zone.steps[i].from_us) == zone.steps[i].offset_s);
    }
    for (int32_t day = -25567; day < 84006; day += 1009) REQUIRE(zone_midnight(&zone, day) <= zone_midnight(&zone, day + 1));
    free(zone.steps);
    return 0;
}
