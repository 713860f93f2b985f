/* The daemon's own statistics, as Prometheus reads them, and whether it can work. */
#pragma once

#include "common/buffer.h"
#include "daemon/run/daemon.h"

/* Appends all of them in the text format of Prometheus. From any thread. */
void statistics_write(struct daemon *daemon, struct buffer *out);

/* Does everybody get on? False: appends who does not, and why. From any thread. */
bool statistics_ready(struct daemon *daemon, struct buffer *why);

/* Is some worker stuck, without having turned for so long? */
bool statistics_stuck(struct daemon *daemon, int64_t longest_us);
