/* What texts of settings have to look like. Pure. */
#pragma once

#include "common/span.h"

bool form_topic(struct span text);       /* a Kafka topic */
bool form_prefix(struct span text);      /* of keys: no braces, so that only the tenant is a hash tag */
bool form_type_prefix(struct span text); /* "crm." */
bool form_name(struct span text);        /* tenant or custom attribute: [A-Za-z0-9._-]{1,64} */
bool form_listen(struct span text);      /* empty, address:port or [address]:port */
bool form_redis_url(struct span text);

bool listens_locally(struct span listen); /* on nothing, or on this machine only */
