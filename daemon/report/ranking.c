#include "daemon/report/ranking.h"

#include "common/error.h"

#include <stdlib.h>

enum {
    RESERVE = 3
};

void ranking_deinit(struct ranking *ranking)
{
    for (size_t i = 0; i < ranking->n; i++) free((char *)(uintptr_t)ranking->at[i].id.at);
    free(ranking->at);
    *ranking = (struct ranking){ .limit = ranking->limit };
}

/* Where it stands, or would. */
static size_t place_of(const struct ranking *ranking, struct span id, int64_t score)
{
    size_t low = 0, high = ranking->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct ranked *other = &ranking->at[middle];
        bool before = other->score != score ? other->score > score : span_compare(other->id, id) < 0;
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void drop_last(struct ranking *ranking)
{
    free((char *)(uintptr_t)ranking->at[--ranking->n].id.at);
}

void ranking_put(struct ranking *ranking, struct span id, int64_t score, const struct list_line *line)
{
    size_t room = ranking->limit * RESERVE, at = place_of(ranking, id, score);
    bool follows_unknown = at == ranking->n && (int64_t)ranking->n < ranking->all;
    ranking->all++;
    if (at == room || follows_unknown) return;
    if (!ranking->at) ranking->at = must_alloc((room + 1) * sizeof *ranking->at);
    memmove(ranking->at + at + 1, ranking->at + at, (ranking->n - at) * sizeof *ranking->at);
    ranking->at[at] = (struct ranked){ { memcpy(must_alloc(id.len), id.at, id.len), id.len }, score, *line };
    if (++ranking->n > room) drop_last(ranking);
}

void ranking_remove(struct ranking *ranking, struct span id, int64_t score)
{
    size_t at = place_of(ranking, id, score);
    ranking->all--;
    if (at == ranking->n || ranking->at[at].score != score || !span_equal(ranking->at[at].id, id)) return;
    free((char *)(uintptr_t)ranking->at[at].id.at);
    ranking->n--;
    memmove(ranking->at + at, ranking->at + at + 1, (ranking->n - at) * sizeof *ranking->at);
}

bool ranking_is_short(const struct ranking *ranking)
{
    return ranking->n < ranking->limit && (int64_t)ranking->n < ranking->all;
}

size_t ranking_bytes(const struct ranking *ranking)
{
    size_t bytes = ranking->at ? (ranking->limit * RESERVE + 1) * sizeof *ranking->at : 0;
    for (size_t i = 0; i < ranking->n; i++) bytes += ranking->at[i].id.len;
    return bytes;
}
