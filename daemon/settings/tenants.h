/* The tenants that settings name, and how each counts. */
#pragma once

#include "daemon/settings/rules_read.h"

struct tenants {
    struct map by_name;     /* named tenant -> its struct rules */
    struct rules *standard; /* of those not named */
    struct text_list names; /* sorted */
    struct zones zones;
};

/* A zeroed struct tenants is filled from an object: tenant to its settings. Mistakes go to reading->problems. Texts and
 * lists stand in reading->arena, which must outlive the tenants. */
void tenants_read(struct tenants *tenants, const struct setting_reading *reading, const json_t *object);
void tenants_deinit(struct tenants *tenants);
