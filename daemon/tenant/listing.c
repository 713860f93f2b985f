/* Lines of lists: what an entity said before against what it says now. */
#include "daemon/tenant/fold.h"

#include <stdlib.h>

static void add_change(struct batch *batch, const struct list_change *change)
{
    if (batch->n_list_changes == batch->room_list_changes) {
        batch->room_list_changes = batch->room_list_changes ? 2 * batch->room_list_changes : 64;
        batch->list_changes = must_realloc(batch->list_changes, batch->room_list_changes * sizeof *batch->list_changes);
    }
    batch->list_changes[batch->n_list_changes++] = *change;
}

/* "deal D-17" */
static struct span line_id(struct batch *batch, const struct work *work)
{
    struct span kind = span_of(kind_rows[work->entity.kind].name), id = work->entity.id;
    char *text = arena_alloc(batch->arena, kind.len + 1 + id.len);
    memcpy(text, kind.at, kind.len);
    text[kind.len] = ' ';
    memcpy(text + kind.len + 1, id.at, id.len);
    return (struct span){ text, kind.len + 1 + id.len };
}

static const struct listing *find_listing(const struct statement *statement, enum list list)
{
    for (uint32_t i = 0; i < statement->n_listings; i++)
        if (statement->listings[i].list == list) return &statement->listings[i];
    return NULL;
}

void batch_list(struct batch *batch, const struct work *work)
{
    for (int list = 0; list < N_LISTS; list++) {
        const struct listing *before = find_listing(&work->before, (enum list)list);
        const struct listing *after = find_listing(&work->said, (enum list)list);
        bool same = before && after && !memcmp(&before->line, &after->line, sizeof before->line);
        if (same || (!before && !after)) continue;
        struct list_change change = { .list = (enum list)list, .id = line_id(batch, work), .was = before, .is = after };
        if (before) change.before = before->line;
        if (after) change.after = after->line;
        add_change(batch, &change);
    }
}
