/* A real broker for one test program, in a temporary folder on a free port; started and killed by broker.sh. */
#pragma once

#include <stdbool.h>

struct broker {
    char folder[64];
    int port;
    char servers[32]; /* for bootstrap.servers */
};

bool broker_start(struct broker *broker); /* a zeroed one anew, another with its data. False: why is on stderr */
void broker_end(struct broker *broker);   /* killed, folder removed */

/* One call of broker.sh, printf-like; true: it succeeded. */
bool broker_sh(const char *format, ...) __attribute__((format(printf, 1, 2)));
int broker_pid(const struct broker *broker);
