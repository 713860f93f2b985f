/* Reads a rule's webhook, and what is unknown in an object. */
#include "common/suggest.h"
#include "daemon/alert/reader.h"
#include "daemon/settings/properties.h"
#include "daemon/webhook/webhook.h"

enum {
    TIMEOUT_MS = 10000,
    ATTEMPTS = 10
};

void alert_unknown_keys(const struct setting_reading *at, const json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        bool found = false;
        for (size_t i = 0; known[i]; i++) found = found || !strcmp(known[i], key);
        struct setting_reading inner = setting_at(at, key);
        const char *best = suggest_from(span_of(key), known);
        if (!found && best)
            problem_add(at->problems, inner.where, "unknown key; did you mean %s?", best);
        else if (!found)
            problem_add(at->problems, inner.where, "unknown key");
    }
}

static bool is_url(const char *text)
{
    const char *host = strncmp(text, "https://", 8) == 0 ? text + 8 : strncmp(text, "http://", 7) == 0 ? text + 7 : "";
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f) return false;
    return *host && *host != '/';
}

static void take_url(const struct setting_reading *hook, const json_t *object, struct alert_webhook *webhook)
{
    struct setting_reading at = setting_at(hook, "url");
    const json_t *value = json_object_get(object, "url");
    at.secret = true; /* it may hold a token */
    if (!value)
        problem_add(at.problems, at.where, "is missing, expected https://…");
    else if (read_text(&at, value, &webhook->url) && !is_url(webhook->url))
        expected(&at, value, "a URL https://host/… or http://host/…");
}

static void take_secret(const struct setting_reading *hook, const json_t *object, const char *folder,
                        struct alert_webhook *webhook)
{
    struct setting_reading at = setting_at(hook, "secret_file");
    const json_t *value = json_object_get(object, "secret_file");
    const char *file;
    if (!value)
        problem_add(at.problems, at.where, "is missing, expected a file whose first line signs what is posted");
    else if (read_text(&at, value, &file) && secret_read(&at, file_resolve(at.arena, folder, file), &webhook->secret) &&
             !webhook_secret_fine(webhook->secret))
        problem_add(at.problems, at.where, "the file \"%s\" begins with whsec_, expected the base64 of a key behind it", file);
}

const struct alert_webhook *alert_webhook_read(const struct setting_reading *at, const json_t *value, const char *folder)
{
    static const char *const known[] = { "url", "secret_file", "timeout_ms", "attempts", NULL };
    if (!expect_object(at, value, "an object such as {\"url\":…,\"secret_file\":…}")) return NULL;
    struct alert_webhook *webhook = arena_zalloc(at->arena, sizeof *webhook);
    *webhook = (struct alert_webhook){ .url = "", .secret = "", .timeout_ms = TIMEOUT_MS, .attempts = ATTEMPTS };
    const json_t *timeout = json_object_get(value, "timeout_ms"), *attempts = json_object_get(value, "attempts");
    struct setting_reading at_timeout = setting_at(at, "timeout_ms"), at_attempts = setting_at(at, "attempts");
    alert_unknown_keys(at, value, known);
    take_url(at, value, webhook);
    take_secret(at, value, folder, webhook);
    if (timeout) read_integer(&at_timeout, timeout, 100, 60000, &webhook->timeout_ms);
    if (attempts) read_integer(&at_attempts, attempts, 1, 100, &webhook->attempts);
    return webhook;
}
