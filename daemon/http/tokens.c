#include "daemon/http/tokens.h"

#include "daemon/settings/forms.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <strings.h>

enum {
    LINE_BYTES = 1024,
    TOKENS_MAX = 10000
};

/* The next word of a line, the line behind it; empty: there is none. */
static struct span next_word(struct span *line)
{
    while (line->len && strchr(" \t\r\n", line->at[0])) line->at++, line->len--;
    struct span word = { line->at, 0 };
    while (word.len < line->len && !strchr(" \t\r\n", word.at[word.len])) word.len++;
    line->at += word.len;
    line->len -= word.len;
    return word;
}

static bool read_line(struct tokens *tokens, struct span line, struct error *error)
{
    struct span secret = next_word(&line), tenant = next_word(&line), more = next_word(&line);
    if (!secret.len || secret.at[0] == '#') return true;
    if (secret.len < TOKEN_BYTES_MIN || secret.len > TOKEN_BYTES_MAX)
        return fail(error, "found a token of %zu characters, expected %d to %d", secret.len, TOKEN_BYTES_MIN, TOKEN_BYTES_MAX);
    if (more.len || (tenant.len && !form_name(tenant))) return fail(error, "expected TOKEN, or TOKEN TENANT");
    if (tokens->n == TOKENS_MAX) return fail(error, "expected at most %d tokens", TOKENS_MAX);
    if (tokens->n % 64 == 0) tokens->at = must_realloc(tokens->at, (tokens->n + 64) * sizeof *tokens->at);
    tokens->at[tokens->n++] =
        (struct token){ arena_copy(&tokens->arena, secret), tenant.len ? arena_copy(&tokens->arena, tenant) : NO_SPAN };
    return true;
}

static bool read_lines(struct tokens *tokens, FILE *in, struct error *error)
{
    char line[LINE_BYTES], where[24];
    bool fine = true;
    for (int number = 1; fine && fgets(line, sizeof line, in); number++) {
        snprintf(where, sizeof where, "line %d", number);
        fine = strchr(line, '\n') || strlen(line) < sizeof line - 1 || fail(error, "longer than %d bytes", LINE_BYTES - 2);
        fine = (fine && read_line(tokens, span_of(line), error)) || fail_in(error, where);
    }
    explicit_bzero(line, sizeof line);
    return fine && (!ferror(in) || fail(error, "%s", strerror(errno)));
}

bool tokens_load(struct tokens *tokens, const char *file, struct error *error)
{
    *tokens = (struct tokens){ 0 };
    if (!file[0]) return true;
    FILE *in = fopen(file, "re");
    if (!in) return fail(error, "the file \"%s\" cannot be read: %s", file, strerror(errno));
    bool fine = read_lines(tokens, in, error) || fail_in(error, file);
    fclose(in);
    if (fine && !tokens->n) fine = fail(error, "the file \"%s\" holds no token, expected one per line", file);
    if (!fine) tokens_deinit(tokens);
    return fine;
}

void tokens_deinit(struct tokens *tokens)
{
    for (size_t i = 0; i < tokens->n; i++) explicit_bzero((char *)(uintptr_t)tokens->at[i].secret.at, tokens->at[i].secret.len);
    free(tokens->at);
    arena_deinit(&tokens->arena);
    *tokens = (struct tokens){ 0 };
}

bool tokens_none(const struct tokens *tokens)
{
    return tokens->n == 0;
}

/* Takes as long for any given text of a length, whatever the token is. */
static bool same_secret(struct span given, struct span secret)
{
    volatile unsigned differs = given.len != secret.len;
    for (size_t i = 0; i < given.len; i++) differs |= (unsigned char)given.at[i] ^ (unsigned char)secret.at[i % secret.len];
    return !differs;
}

static bool begins(struct span text, const char *word)
{
    size_t len = strlen(word);
    return text.len > len && strncasecmp(text.at, word, len) == 0;
}

/* user:password, in base64 */
static struct span basic_password(struct span text, struct arena *arena)
{
    gsize len = 0;
    char *copy = arena_text(arena, text);
    guchar *plain = g_base64_decode(copy, &len);
    const char *colon = plain && len ? memchr(plain, ':', len) : NULL;
    struct span password = NO_SPAN;
    if (colon) password = arena_copy(arena, (struct span){ colon + 1, len - (size_t)(colon + 1 - (char *)plain) });
    g_free(plain);
    return password;
}

static struct span token_of(struct span authorization, struct arena *arena)
{
    if (begins(authorization, "Bearer ")) return (struct span){ authorization.at + 7, authorization.len - 7 };
    if (begins(authorization, "Basic "))
        return basic_password((struct span){ authorization.at + 6, authorization.len - 6 }, arena);
    return NO_SPAN;
}

struct scope tokens_scope(const struct tokens *tokens, struct span authorization, struct arena *arena)
{
    struct scope scope = { .all = tokens_none(tokens) };
    struct span given = token_of(authorization, arena);
    if (given.len > TOKEN_BYTES_MAX) return scope;
    for (size_t i = 0; i < tokens->n; i++) {
        if (!same_secret(given, tokens->at[i].secret)) continue;
        scope.all |= !tokens->at[i].tenant.at;
        if (tokens->at[i].tenant.at) scope.tenant = arena_copy(arena, tokens->at[i].tenant);
    }
    return scope;
}

bool scope_opens(const struct scope *scope, struct span tenant)
{
    return scope->all || (scope->tenant.at && span_equal(scope->tenant, tenant));
}
