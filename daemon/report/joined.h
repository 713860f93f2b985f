/* Several metrics side by side: a row for each combination that one of them has, with all their values. */
#pragma once

#include "daemon/report/rows.h"

/* [{"owner":"anna","won_deals":3,"close_rate":null},…] of `n` lists by the same dimensions, whose fields are bare values;
 * `names[i]` is what those of `lists[i]` are called. */
void joined_write(const struct row_list *const *lists, const struct span *names, size_t n, struct buffer *out);
