/* Where the master is, by what Redis Sentinel says. */
#pragma once

#include "daemon/state/address.h"

/* Asks the sentinels in turn, each for at most so long, until one knows the master: leads the address to it, and asks that
 * sentinel first from then on. User and password of the address are shown to sentinels, too; one that wants none is asked all
 * the same. */
bool sentinel_find(struct address *address, const char *ca_file, int timeout_ms, struct error *error) MUST_USE;
