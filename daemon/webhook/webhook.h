/* Webhooks: events posted over HTTP, each signed, and tried again until it is taken or was tried often enough. A thread of its
 * own does it all; the caller hands over and polls. Much like a sink (daemon/sink/sink.h). libcurl stays behind this file. */
#pragma once

#include "daemon/sink/sink.h"

/* Copied. As in the rule's settings. */
struct webhook_post {
    const char *url;
    const char *secret;   /* signs it, see webhook_signature */
    struct span id, body; /* the event's id; the event */
    int64_t timeout_ms;   /* of one attempt, from the name's look-up to the last byte */
    int64_t attempts;     /* at most; the wait in between doubles from 1 s to 60 s */
    void *tag;            /* handed back with the outcome */
};

struct webhooks;

/* `acknowledged` is called from webhooks_poll: DELIVERED (a 2xx answer), UNDELIVERABLE (tried `attempts` times, or answered with
 * 410 Gone: `why` says what came last, without the URL's path), UNDELIVERED (the webhooks were destroyed before).
 * NULL and error: no thread, no libcurl. */
struct webhooks *webhooks_create(struct acknowledged acknowledged, struct error *error) MUST_USE;
void webhooks_destroy(struct webhooks *webhooks); /* stops what is under way, at once; NULL is fine */

void webhooks_post(struct webhooks *webhooks, const struct webhook_post *post);
void webhooks_poll(struct webhooks *webhooks); /* never waits */

/* "v1,<base64 of HMAC-SHA256 over `id.timestamp.body`>", as in the Standard Webhooks specification: a secret `whsec_…` is the
 * base64 of the key, any other one is the key itself. To be freed. */
bool webhook_secret_fine(const char *secret); /* false: `whsec_` without the base64 of a key */
char *webhook_signature(const char *secret, struct span id, int64_t timestamp_s, struct span body);

/* How long to wait after so many failed attempts. */
int64_t webhook_wait_ms(int64_t failed);
