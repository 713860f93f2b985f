/* What a tenant's numbers were counted by, in words: kept in its state beside the fingerprint, to say what has changed. */
#pragma once

#include "daemon/tenant/tenant.h"

/* "time_zone=Europe/Berlin week_start=monday … expected=3f9c…": settings as they are, or their hashes. */
void terms_write(const struct rules *rules, struct buffer *out);

/* Of a tenant that is held, "time_zone (Europe/Berlin, now UTC), lists": what is not as it was counted by. */
void terms_write_changed(const struct tenant *tenant, struct buffer *out);
