/* What a tenant's numbers were counted by, in words: kept in its state beside the fingerprint, to say what has changed. */
#pragma once

#include "daemon/tenant/tenant.h"

/* "time_zone=Europe/Berlin week_start=monday … facts=3f9c…": settings as they are, or their hashes. */
void terms_write(const struct rules *rules, uint64_t facts, struct buffer *out);

/* "time_zone (Europe/Berlin, now UTC), lists": those of the terms that are others now. */
void terms_compare(struct span then, struct span now, struct buffer *out);
