#include "daemon/tenant/generations.h"

#include "common/error.h"
#include "common/instant.h"
#include "common/number.h"

#include <stdlib.h>

enum {
    GENERATIONS_MAX = 1000 /* each is wider than the one before: no tenant comes near */
};

void generations_deinit(struct generations *generations)
{
    free(generations->at);
    *generations = (struct generations){ 0 };
}

static void grow(struct generations *generations, uint32_t n)
{
    if (n <= generations->n) return;
    generations->at = must_realloc(generations->at, n * sizeof *generations->at);
    memset(&generations->at[generations->n], 0, (n - generations->n) * sizeof *generations->at);
    for (uint32_t i = generations->n; i < n; i++) generations->at[i].since = NO_DAY;
    generations->n = n;
}

void generations_cover(struct generations *generations, const struct kept *needed)
{
    uint32_t n = generations->n;
    if (n && kept_covers(generations_now(generations), needed)) return;
    grow(generations, n + 1);
    if (n) generations->at[n].kept = generations->at[n - 1].kept;
    kept_join(&generations->at[n].kept, needed);
}

struct kept generations_common(const struct generations *generations)
{
    struct kept common = generations->at[0].kept;
    for (uint32_t i = 1; i < generations->stored; i++) kept_meet(&common, &generations->at[i].kept);
    return common;
}

void generations_write_added(const struct generations *generations, bool all, const struct rules *rules, size_t most,
                             struct buffer *out)
{
    uint32_t n = all ? generations->n : generations->stored;
    if (n > 1) kept_write_added(&generations->at[0].kept, &generations->at[n - 1].kept, rules, most, out);
}

void generation_write(const struct generation *generation, const struct rules *rules, struct buffer *out)
{
    char day[DAY_TEXT_BYTES];
    day_format(generation->since, day);
    buffer_printf(out, "%s ", day);
    kept_write(&generation->kept, rules, out);
}

void generations_read(struct generations *generations, struct span number, struct span value, const struct rules *rules,
                      struct span *undeclared)
{
    int64_t at;
    int32_t since;
    if (!number_take(&number, &at) || number.len || at < 0 || at >= GENERATIONS_MAX) return;
    grow(generations, (uint32_t)at + 1);
    generations->stored = generations->n;
    if (!day_parse(until_take(&value, ' '), &since) || !byte_take(&value, ' ')) return;
    if (kept_read(value, rules, &generations->at[at].kept, undeclared)) generations->at[at].since = since;
}

bool generations_whole(const struct generations *generations)
{
    for (uint32_t i = 0; i < generations->stored; i++)
        if (generations->at[i].since == NO_DAY) return false;
    return generations->stored > 0;
}
