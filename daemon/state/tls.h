/* TLS below a connection to Redis, where the build has hiredis_ssl. */
#pragma once

#include "common/error.h"

#include <hiredis/hiredis.h>

/* Shakes hands on a connected, blocking context: the certificate must be trusted (by `ca_file`; empty: the system's) and be
 * the host's. */
bool tls_start(redisContext *context, const char *host, const char *ca_file, struct timeval timeout,
               struct error *error) MUST_USE;
