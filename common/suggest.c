#include "common/suggest.h"

enum {
    NAME_MAX_BYTES = 64,
    FAR = 99
};

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Optimal string alignment (Damerau-Levenshtein with each piece edited at most once), three rows at a time. */
int edit_distance(struct span a, struct span b)
{
    if (a.len > NAME_MAX_BYTES || b.len > NAME_MAX_BYTES) return FAR;
    int rows[3][NAME_MAX_BYTES + 1];
    for (size_t j = 0; j <= b.len; j++) rows[0][j] = (int)j;
    for (size_t i = 1; i <= a.len; i++) {
        int *row = rows[i % 3], *before = rows[(i - 1) % 3], *two_before = rows[(i + 1) % 3];
        row[0] = (int)i;
        for (size_t j = 1; j <= b.len; j++) {
            int same = a.at[i - 1] == b.at[j - 1];
            row[j] = smaller(smaller(before[j], row[j - 1]) + 1, before[j - 1] + !same);
            if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1])
                row[j] = smaller(row[j], two_before[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

void suggest(struct suggestion *suggestion, const char *candidate)
{
    if (!candidate) return;
    int distance = edit_distance(suggestion->name, span_of(candidate));
    if (distance * 3 > (int)suggestion->name.len) return;
    if (suggestion->best && distance >= suggestion->distance) return;
    suggestion->best = candidate;
    suggestion->distance = distance;
}

const char *suggest_from(struct span name, const char *const *candidates)
{
    struct suggestion suggestion = { .name = name };
    for (; *candidates; candidates++) suggest(&suggestion, *candidates);
    return suggestion.best;
}
