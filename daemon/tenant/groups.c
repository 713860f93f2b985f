#include "daemon/tenant/groups.h"

static struct cell_group *group_of(struct cell_groups *groups, struct bucket bucket)
{
    struct cell_group *latest = groups->latest;
    if (latest && latest->bucket.type == bucket.type && latest->bucket.number == bucket.number) return latest;
    struct cell_group *group = map_get(&groups->by_bucket, bucket_bytes(&bucket));
    if (!group) {
        group = arena_alloc(groups->arena, sizeof *group);
        *group = (struct cell_group){ .bucket = bucket, .next = groups->first };
        groups->first = group;
        map_put(&groups->by_bucket, bucket_bytes(&group->bucket), group);
    }
    return groups->latest = group;
}

void cell_groups_add(struct cell_groups *groups, struct stored_cell *cell, struct span field)
{
    struct cell_group *group = group_of(groups, cell->bucket);
    struct grouped_cell *grouped = arena_alloc(groups->arena, sizeof *grouped);
    *grouped = (struct grouped_cell){ cell, field, group->cells };
    group->cells = grouped;
    group->n++;
}

void cell_groups_deinit(struct cell_groups *groups)
{
    map_deinit(&groups->by_bucket);
}
