/* The rule by which a zone's clock goes on after the changes that its file lists: a POSIX TZ text with the extensions of
 * RFC 9636, 3.3.2 ("CET-1CEST,M3.5.0,M10.5.0/3"; also "IST-1GMT0,…", where winter is the exception). Pure. */
#pragma once

#include "common/span.h"

struct zone_change {
    char form;       /* 'J': day 1…365 without leap days; 'N': day 0…365; 'M': month, week, weekday */
    int day;         /* of J and N; of M: 0 = Sunday … 6 = Saturday */
    int month, week; /* of M: 1…12, 1…5 (5 = the last) */
    int32_t time_s;  /* of that day by the clock that holds until then; may be negative or beyond the day */
};

struct zone_rule {
    int32_t standard_s, other_s; /* offsets, east positive */
    bool changes;                /* else the standard one holds for ever */
    struct zone_change to_other, to_standard;
};

bool zone_rule_parse(struct span text, struct zone_rule *rule); /* false: malformed */

/* The second since 1970 at which the clock changes in that year, and to which offset: the earlier and the later of both. */
struct zone_turn {
    int64_t at_s;
    int32_t offset_s;
};
void zone_rule_turns(const struct zone_rule *rule, int year, struct zone_turn turns[2]);
