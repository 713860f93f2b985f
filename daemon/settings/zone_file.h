/* A zoneinfo file (TZif, RFC 9636): from its bytes to the steps of a zone. Pure. */
#pragma once

#include "common/error.h"
#include "common/zone.h"

/* Fills `steps` and `n_steps` (to be freed), up to the year 2200. False: no such file, a version without 64-bit times, with
 * leap seconds, or damaged; nothing to free then. */
bool zone_file_parse(struct span bytes, struct zone *zone, struct error *error) MUST_USE;
