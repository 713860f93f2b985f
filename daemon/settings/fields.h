/* From raw values to the fields of struct settings, and what has to fit together between them. */
#pragma once

#include "daemon/settings/raws.h"
#include "daemon/settings/tenants.h"

/* Fills all fields and the tenants; every mistake goes to `problems`. Texts stand in the arena. */
void fields_read(struct settings *settings, struct tenants *tenants, const struct raws *raws, enum settings_need need,
                 struct arena *arena, struct problems *problems);
