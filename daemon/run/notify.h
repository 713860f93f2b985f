/* What systemd is told (sd_notify's protocol: a datagram to $NOTIFY_SOCKET). Where nobody asked, nothing happens. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=…"; several, with newlines between them. */
void notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often the watchdog wants to hear from this process, in microseconds; 0: there is none. */
int64_t notify_watchdog_us(void);
