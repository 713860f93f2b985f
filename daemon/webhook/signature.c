/* How a post is signed, so that its receiver knows whom it is from, and that it is no older one sent again. */
#include "common/buffer.h"
#include "daemon/webhook/webhook.h"

#include <glib.h>
#include <inttypes.h>

/* The digest of HMAC-SHA256 in base64; to be given back with g_free. */
static char *digest_text(GHmac *hmac)
{
    guint8 digest[32];
    gsize len = sizeof digest;
    g_hmac_get_digest(hmac, digest, &len);
    return g_base64_encode(digest, len);
}

static GHmac *hmac_of(const char *secret)
{
    const char prefix[] = "whsec_";
    gsize len = strlen(secret);
    if (strncmp(secret, prefix, strlen(prefix)) != 0) return g_hmac_new(G_CHECKSUM_SHA256, (const guint8 *)secret, len);
    guint8 *key = g_base64_decode(secret + strlen(prefix), &len);
    GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, key, len);
    explicit_bzero(key, len);
    g_free(key);
    return hmac;
}

char *webhook_signature(const char *secret, struct span id, int64_t timestamp_s, struct span body)
{
    struct buffer head = { 0 };
    GHmac *hmac = hmac_of(secret);
    buffer_printf(&head, "%.*s.%" PRId64 ".", SPAN_ARG(id), timestamp_s);
    g_hmac_update(hmac, (const guint8 *)head.at, (gssize)head.len);
    g_hmac_update(hmac, (const guint8 *)body.at, (gssize)body.len);
    char *digest = digest_text(hmac);
    buffer_clear(&head);
    buffer_printf(&head, "v1,%s", digest);
    buffer_byte(&head, 0);
    g_free(digest);
    g_hmac_unref(hmac);
    return head.at;
}
