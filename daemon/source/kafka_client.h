/* What the Kafka adapters share: a librdkafka handle made of settings, and its troubles told once each. Inner to the
 * Kafka adapters. */
#pragma once

#include "daemon/source/kafka_settings.h"

#include <librdkafka/rdkafka.h>
#include <stdint.h>

enum {
    KAFKA_TOLD_MAX = 8,
    KAFKA_TEXT_BYTES = 480,
    KAFKA_TELL_AGAIN_MS = 60000
};

struct kafka_client {
    rd_kafka_t *handle;
    rd_kafka_type_t type;
    rd_kafka_conf_t *conf; /* what the handle was made of */
    void *owner;           /* for the callbacks: rd_kafka_opaque is this client */
    struct kafka_reporter reporter;
    struct {
        int code;
        int64_t at_ms;
    } told[KAFKA_TOLD_MAX];
    int next_told;
    char cause[KAFKA_TEXT_BYTES];   /* the newest failure to connect */
    char trouble[KAFKA_TEXT_BYTES]; /* "": all well */
    bool fatal;                     /* the handle will never work again */
    int64_t doubt_ms;               /* since when connections fail and nothing has shown that a broker answers; 0: none did */
    int64_t look_ms;                /* when to see next whether a broker answers */
    int look_wait_ms;
};

/* Which properties a handle has: `defaults` give way to the settings, `forced` do not. Both end with a NULL name. */
struct kafka_profile {
    rd_kafka_type_t type;
    const struct kafka_property *defaults, *forced;
    const char *left_out;               /* a property of the settings that is not taken; NULL: none */
    void (*prepare)(rd_kafka_conf_t *); /* sets callbacks; NULL: none */
};

/* Fills a zeroed client. False: nothing to clean up. */
MUST_USE bool kafka_client_init(struct kafka_client *client, const struct kafka_settings *settings,
                                const struct kafka_profile *profile, void *owner, struct error *error);

/* Could a client be made of these? It is, without a broker, and goes at once. */
MUST_USE bool kafka_client_try(const struct kafka_settings *settings, const struct kafka_profile *profile, struct error *error);

/* Without its handle, which is the owner's to end. */
void kafka_client_deinit(struct kafka_client *client);

/* A new handle in place of one that was destroyed. False: `trouble` says why, and there is no handle. */
MUST_USE bool kafka_client_renew(struct kafka_client *client);

/* Tells the reporter, unless the same code was told less than a minute ago. */
void kafka_client_tell(struct kafka_client *client, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* After RD_KAFKA_RESP_ERR__FATAL: the handle will never work again; asks it why, and tells. */
void kafka_client_end(struct kafka_client *client);

/* A broker has answered: what is told next is told at once. */
void kafka_client_well(struct kafka_client *client);

/* While all brokers are down, or after a connection failed: looks, once a second and for some milliseconds, whether one answers.
 * Where for seconds none does, that is the trouble. */
void kafka_client_look(struct kafka_client *client);

/* The settings' value of a property, NULL: not there. */
const char *kafka_settings_value(const struct kafka_settings *settings, const char *name);

int64_t kafka_now_ms(void); /* monotonic */

/* Calls end(what) and waits for it, up to wait_ms: the library takes 5 s to leave a group whose broker hangs, and (2.0) for
 * ever to end a handle under which a topic was deleted. What is not done by then goes on beside, in a thread of its own;
 * nothing may be told to the reporter any more. */
void kafka_end_within(void (*end)(void *what), void *what, int wait_ms);
