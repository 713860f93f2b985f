/* A rejected record as it goes to the dead-letter topic: itself, with headers that say where it was and why. Pure. */
#pragma once

#include "daemon/sink/sink.h"

/* Key, value and headers are the record's own; behind them stand __connect.errors.topic, .partition, .offset, .stage,
 * .exception.class.name and .exception.message (of a record that has some of these already, they stand first and stay: the last
 * ones count). Topic, partition and offset name the record: a dead letter that was sent twice, as the record was read
 * again, has the same three. Texts point into the record, the arena and the rejection. */
struct outgoing dead_letter_build(struct span topic, const struct record *record, const struct rejection *rejection,
                                  struct arena *arena, void *tag);
