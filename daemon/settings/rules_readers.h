/* The readers behind the table of a tenant's keys. Each says what is wrong and leaves that out. */
#pragma once

#include "common/suggest.h"
#include "daemon/settings/rules_read.h"

void read_time_zone(const struct rules_reading *reading, const json_t *value);
void read_week_start(const struct rules_reading *reading, const json_t *value);
void read_fiscal_year_start(const struct rules_reading *reading, const json_t *value);
void read_currency(const struct rules_reading *reading, const json_t *value);
void read_business_hours(const struct rules_reading *reading, const json_t *value);
void read_holidays(const struct rules_reading *reading, const json_t *value);
void read_stale_after(const struct rules_reading *reading, const json_t *value);
void read_retire_after(const struct rules_reading *reading, const json_t *value);
void read_fold_after(const struct rules_reading *reading, const json_t *value);
void read_custom(const struct rules_reading *reading, const json_t *value);
void read_lists(const struct rules_reading *reading, const json_t *value);
void read_expected(const struct rules_reading *reading, const json_t *value);

/* "unknown kind; did you mean deal?" */
void unknown_key(const struct setting_reading *at, const char *what, struct suggestion suggestion);
