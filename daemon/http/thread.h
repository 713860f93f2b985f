/* What the threads of this folder have in common: they step back behind the daemon's work. */
#pragma once

#include <stdint.h>

/* Names the calling thread and lowers its priority: while the machine is busy the daemon's work goes first. */
void thread_steps_back(const char *name);

int64_t thread_monotonic_us(void);
