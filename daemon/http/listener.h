/* The listener: a thread that hears Redis's hints and lays them into a queue, from which the serving thread takes them. */
#pragma once

#include "daemon/state/hints.h"

struct listener;

/* `filled` is called from the listener's thread whenever there is something to take. */
struct listener *listener_start(const struct redis_settings *redis, const char *prefix, void (*filled)(void *context),
                                void *context, struct error *error) MUST_USE;
void listener_stop(struct listener *listener); /* NULL is fine */

/* Hands over each hint that has come; `missed`: some before these are not known (Redis was away, or they were too many). */
void listener_take(struct listener *listener, void (*each)(void *context, const struct hint *hint), bool *missed);

/* Why no hints come: Redis is away. False: they do, or it is not known yet. From any thread. */
bool listener_trouble(struct listener *listener, char text[ERROR_TEXT_BYTES]);
