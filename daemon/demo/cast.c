#include "daemon/demo/cast.h"

#include "common/buffer.h"

/* clang-format off */
const struct tenant_cast cast[] = {
    { "acme", "Europe/Berlin", "EUR", "monday", 2, 1200, 130, 5,
      { { "anna", "north" }, { "ben", "north" }, { "carla", "south" }, { "deniz", "south" }, { "emil", "partners" } },
      { "frida", "goran", "hanna" },
      { { "web", 38, 74 }, { "fair", 16, 84 }, { "referral", 12, 93 }, { "partner", 14, 88 }, { "cold_call", 20, 66 } },
      { "spring-mailing", "hannover-fair", "webinar" } },
    { "globex", "America/New_York", "USD", "sunday", 2, 1500, 160, 6,
      { { "mike", "east" }, { "nora", "east" }, { "oscar", "west" }, { "paula", "west" }, { "quinn", "key accounts" } },
      { "ruth", "sam", "tess" },
      { { "web", 46, 70 }, { "fair", 10, 80 }, { "referral", 10, 95 }, { "partner", 20, 85 }, { "cold_call", 14, 72 } },
      { "black-friday", "vegas-expo", "podcast" } },
    { "initech", "Asia/Tokyo", "JPY", "monday", 0, 180000, 90, 3,
      { { "aiko", "kanto" }, { "botan", "kanto" }, { "chie", "kansai" }, { "daichi", "kansai" }, { "emi", "kansai" } },
      { "fumiko", "goro", "haru" },
      { { "web", 30, 78 }, { "fair", 26, 82 }, { "referral", 20, 90 }, { "partner", 16, 90 }, { "cold_call", 8, 60 } },
      { "sakura-mailing", "tokyo-expo", "seminar" } },
};
/* clang-format on */
const size_t n_cast = sizeof cast / sizeof cast[0];

const char *const cast_stages[CAST_STAGES] = { "qualify", "demo", "offer", "negotiate" };

void cast_settings(struct buffer *out)
{
    for (size_t i = 0; i < n_cast; i++)
        buffer_printf(out, "%s\"%s\":{\"time_zone\":\"%s\",\"currency\":\"%s\",\"week_start\":\"%s\"}", i ? "," : "",
                      cast[i].name, cast[i].time_zone, cast[i].currency, cast[i].week_start);
}
