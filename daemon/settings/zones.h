/* The time zones in use, each loaded once from the system's zoneinfo (folder $TZDIR, else /usr/share/zoneinfo). Filled while
 * settings load, only read after that: zones may then be shared between threads. */
#pragma once

#include "common/error.h"
#include "common/map.h"
#include "common/zone.h"

/* A zeroed struct zones is an empty one. */
struct zones {
    struct map by_name; /* name -> struct zone, owned */
};

/* The zone of that IANA name ("Europe/Berlin"), with all its changes up to the year 2200; stays until zones_deinit.
 * NULL: no such zone, with the nearest name there is, or its file cannot be used. "UTC" needs no file. */
const struct zone *zones_get(struct zones *zones, const char *name, struct error *error) MUST_USE;
void zones_deinit(struct zones *zones);
