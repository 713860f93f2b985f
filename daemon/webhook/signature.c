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

static const char encoded[] = "whsec_";

/* The base64 that stands for the key; NULL: the secret is the key. */
static const char *encoded_key(const char *secret)
{
    return strncmp(secret, encoded, strlen(encoded)) == 0 ? secret + strlen(encoded) : NULL;
}

/* The library passes over what is no base64, and would sign with what is left, or with an empty key. */
bool webhook_secret_fine(const char *secret)
{
    gsize len = 0;
    const char *text = encoded_key(secret);
    if (!text) return true;
    guint8 *key = g_base64_decode(text, &len);
    char *again = g_base64_encode(key, len);
    bool fine = len && strcmp(text, again) == 0;
    explicit_bzero(key, len);
    explicit_bzero(again, strlen(again));
    g_free(key);
    g_free(again);
    return fine;
}

static GHmac *hmac_of(const char *secret)
{
    gsize len = strlen(secret);
    const char *text = encoded_key(secret);
    if (!text) return g_hmac_new(G_CHECKSUM_SHA256, (const guint8 *)secret, len);
    guint8 *key = g_base64_decode(text, &len);
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
