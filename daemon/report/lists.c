#include "daemon/report/lists.h"

#include "daemon/report/text.h"

#include <stdlib.h>

enum {
    OFFENDERS_SHOWN = 100
};

void lists_init(struct lists *lists)
{
    *lists = (struct lists){ 0 };
    for (int i = 0; i < N_FINDINGS; i++) lists->findings[i].limit = OFFENDERS_SHOWN;
}

void lists_deinit(struct lists *lists)
{
    size_t at = 0;
    for (int i = 0; i < N_FINDINGS; i++) ranking_deinit(&lists->findings[i]);
    for (struct map_slot *slot; (slot = map_next(&lists->groups, &at));) {
        ranking_deinit(&((struct open_group *)slot->value)->deals);
        free(slot->value);
    }
    map_deinit(&lists->groups);
}

static struct open_group *group_of(struct lists *lists, const struct list_line *line)
{
    name_id key[3] = { (name_id)line->at[OPEN_CURRENCY], (name_id)line->at[OPEN_PIPELINE], (name_id)line->at[OPEN_STAGE] };
    struct open_group *group = map_get(&lists->groups, (struct span){ (const char *)key, sizeof key });
    if (group) return group;
    group = must_zalloc(sizeof *group);
    memcpy(group->key, key, sizeof key);
    group->deals.limit = OPEN_DEALS_SHOWN;
    map_put(&lists->groups, (struct span){ (const char *)group->key, sizeof group->key }, group);
    return group;
}

static struct ranking *ranking_of(struct lists *lists, enum list list, const struct list_line *line)
{
    return list == LIST_OPEN_DEALS ? &group_of(lists, line)->deals : &lists->findings[list];
}

static int64_t score_of(enum list list, const struct list_line *line)
{
    return list == LIST_OPEN_DEALS ? line->at[OPEN_AMOUNT] : line->at[OFFENDER_CREATED];
}

void lists_take(struct lists *lists, enum list list, struct span id, const struct list_line *before,
                const struct list_line *after)
{
    if (before) ranking_remove(ranking_of(lists, list, before), id, score_of(list, before));
    if (after) ranking_put(ranking_of(lists, list, after), id, score_of(list, after), after);
}

bool lists_are_short(const struct lists *lists)
{
    bool is_short = false;
    size_t at = 0;
    for (int i = 0; i < N_FINDINGS; i++) is_short = is_short || ranking_is_short(&lists->findings[i]);
    for (struct map_slot *slot; (slot = map_next(&lists->groups, &at));)
        is_short = is_short || ranking_is_short(&((const struct open_group *)slot->value)->deals);
    return is_short;
}

size_t lists_bytes(const struct lists *lists)
{
    size_t bytes = 0, at = 0;
    for (int i = 0; i < N_FINDINGS; i++) bytes += ranking_bytes(&lists->findings[i]);
    for (struct map_slot *slot; (slot = map_next(&lists->groups, &at));)
        bytes += sizeof(struct open_group) + ranking_bytes(&((const struct open_group *)slot->value)->deals);
    return bytes;
}

static void write_offender(const struct ranked *offender, struct buffer *out)
{
    struct span kind = NO_SPAN, id = NO_SPAN;
    (void)list_id_split(offender->id, &kind, &id);
    buffer_str(out, "{\"kind\":");
    text_write(kind, out);
    buffer_str(out, ",\"id\":");
    text_write(id, out);
    buffer_str(out, ",\"count\":");
    buffer_decimal(out, offender->line.at[OFFENDER_COUNT]);
    buffer_byte(out, '}');
}

void lists_write_offenders(const struct lists *lists, uint16_t kept, struct buffer *out)
{
    bool first = true;
    buffer_byte(out, '{');
    for (int list = 0; list < N_FINDINGS; list++) {
        const struct ranking *ranking = &lists->findings[list];
        if (!(kept >> list & 1)) continue;
        buffer_printf(out, "%s\"%s\":[", first ? "" : ",", list_names[list]);
        for (size_t i = 0; i < ranking->n && i < ranking->limit; i++) {
            if (i) buffer_byte(out, ',');
            write_offender(&ranking->at[i], out);
        }
        buffer_byte(out, ']');
        first = false;
    }
    buffer_byte(out, '}');
}
