/* How numbers are written: the shortest decimal that reads back as the same double. */
#include "daemon/report/figure.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>

static const char *written(double value)
{
    static char text[128];
    struct buffer out = { 0 };
    double_write(value, &out);
    assert_true(out.len < sizeof text);
    memcpy(text, out.at, out.len);
    text[out.len] = 0;
    buffer_deinit(&out);
    return text;
}

static void known_numbers(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        { 0, "0" },
        { 0.1, "0.1" },
        { -0.5, "-0.5" },
        { 1.0 / 3, "0.3333333333333333" },
        { 2.0 / 3, "0.6666666666666666" },
        { 41.5, "41.5" },
        { 100, "100" },
        { 1e17, "100000000000000000" },
        { 1e18, "1e+18" },
        { 123456.789, "123456.789" },
        { 0.0001, "0.0001" },
        { 1e-7, "0.0000001" },
        { 1.5e-8, "1.5e-08" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 9007199254740993.0, "9007199254740992" },
        { -1234567890123456.7, "-1234567890123456.8" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) assert_string_equal(written(rows[i].value), rows[i].text);
}

static void all_read_back(void **state)
{
    (void)state;
    srand(3);
    for (int i = 0; i < 200000; i++) {
        double value = ldexp((double)rand() * RAND_MAX + rand(), rand() % 160 - 120) * (rand() % 2 ? 1 : -1);
        if (rand() % 2) value = (double)(rand() % 1000000) / (rand() % 1000 + 1);
        const char *text = written(value);
        if (strtod(text, NULL) != value) fail_msg("%.17g is written %s", value, text);
        char shorter[64];
        snprintf(shorter, sizeof shorter, "%.15g", value);
        if (strtod(shorter, NULL) == value && strcspn(text, "e") > strlen(shorter) + 24) fail_msg("%s is long", text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(known_numbers), cmocka_unit_test(all_read_back) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
