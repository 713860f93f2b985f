/* The log: one line per event on stderr, `2026-03-02T14:05:12.400Z info event=name key=value …`. Thread-safe. */
#pragma once

#include <stdbool.h>

enum log_level {
    LEVEL_ERROR,
    LEVEL_WARN,
    LEVEL_INFO,
    LEVEL_DEBUG,
    N_LOG_LEVELS
};
extern const char *const log_level_names[N_LOG_LEVELS + 1]; /* "error", "warning", "info", "debug", NULL */

enum log_format {
    LOG_TEXT,
    LOG_JSON,
    N_LOG_FORMATS
};
extern const char *const log_format_names[N_LOG_FORMATS + 1]; /* "text", "json", NULL */

/* What is written from now on, by all threads. Before the first call: LEVEL_INFO, LOG_TEXT. */
void log_setup(enum log_level level, enum log_format format);
void log_to(int descriptor); /* instead of stderr (2); for tests */

/* log_event(LEVEL_INFO, "partition_assigned", "topic=%s partition=%d", topic, partition).
 * The format is a row of one or more "key=conversion" separated by one blank; a value may hold several ("at=%s:%d"). Known
 * conversions: d i u x with l, ll, j or z; f (three decimals); g; c; s and .*s; %%. Values with blanks, quotes or control
 * characters are quoted.
 * Never give it personal data or a secret. */
void log_event(enum log_level level, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool log_wants(enum log_level level);

/* A cause that would repeat with every attempt: it is logged when it is new or differs from the last one, and again when it
 * is over. Zeroed = nothing is wrong. One per thing that can fail, used by one thread. */
struct log_cause {
    char text[512];
    unsigned long repeats;
};

/* `where` may be empty. True: it was new and has been logged, as event=… where=… cause=…. */
bool log_cause(struct log_cause *cause, enum log_level level, const char *event, const char *where, const char *text);

/* Logs event=<event> where=… after=<attempts> if a cause stood; forgets it. True: one stood. */
bool log_cause_over(struct log_cause *cause, const char *event, const char *where);
