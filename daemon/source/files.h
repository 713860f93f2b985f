/* Records from files for replay: one structured CloudEvent per line. */
#pragma once

#include "daemon/source/source.h"

/* Records have topic "file", the index of the file as partition, the line number (from 1) as offset, `timestamp_us` as
 * timestamp, no key, no headers. "-" is standard input. Empty lines are left out. Of a line longer than line_max bytes the
 * first line_max are delivered: give one more than the size limit, so that the decoder rejects it.
 * The order is that of the files. CHANGE_ASSIGNED comes first, CHANGE_ENDED after the last record of the started partitions.
 * NULL and error: a file cannot be opened. A read error later ends that file and is kept for `trouble`. */
struct source *files_source_create(const char *const *names, size_t n, int64_t timestamp_us, size_t line_max,
                                   struct error *error);
