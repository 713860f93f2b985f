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

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The next word of a line, the line behind it; empty: there is none. */
static struct span next_word(struct span *line)
{
    while (line->len && is_blank(line->at[0])) line->at++, line->len--;
    struct span word = { line->at, 0 };
    while (word.len < line->len && !is_blank(word.at[word.len])) word.len++;
    line->at += word.len;
    line->len -= word.len;
    return word;
}

static bool same_tenant(struct span a, struct span b)
{
    return a.at && b.at ? span_equal(a, b) : !a.at && !b.at;
}

/* One that opens more than one line says would open more, or less, than whoever wrote the other line meant. */
static bool is_its_own(const struct tokens *tokens, struct span secret, struct span tenant)
{
    for (size_t i = 0; i < tokens->n; i++)
        if (span_equal(tokens->at[i].secret, secret) && !same_tenant(tokens->at[i].tenant, tenant)) return false;
    return true;
}

static bool read_line(struct tokens *tokens, struct span line, struct error *error)
{
    struct span secret = next_word(&line), tenant = next_word(&line), more = next_word(&line);
    if (!secret.len || secret.at[0] == '#') return true;
    if (secret.len < TOKEN_BYTES_MIN || secret.len > TOKEN_BYTES_MAX)
        return fail(error, "found a token of %zu characters, expected %d to %d", secret.len, TOKEN_BYTES_MIN, TOKEN_BYTES_MAX);
    if (memchr(secret.at, 0, secret.len)) return fail(error, "found a zero byte in a token");
    if (more.len || (tenant.len && !form_name(tenant))) return fail(error, "expected TOKEN, or TOKEN TENANT");
    if (!tenant.len) tenant = NO_SPAN;
    if (!is_its_own(tokens, secret, tenant))
        return fail(error, "the same token stands in a line before, for another tenant or for all: expected one of its own");
    if (tokens->n == TOKENS_MAX) return fail(error, "expected at most %d tokens", TOKENS_MAX);
    if (tokens->n % 64 == 0) tokens->at = must_realloc(tokens->at, (tokens->n + 64) * sizeof *tokens->at);
    tokens->at[tokens->n++] =
        (struct token){ arena_copy(&tokens->arena, secret), tenant.at ? arena_copy(&tokens->arena, tenant) : NO_SPAN };
    return true;
}

/* False: there is none. One that is too long fills all the room. */
static bool next_line(FILE *in, char room[LINE_BYTES], struct span *line)
{
    size_t len = 0;
    int byte = 0;
    while (len < LINE_BYTES && byte != '\n' && (byte = getc(in)) != EOF) room[len++] = (char)byte;
    *line = (struct span){ room, len };
    return len > 0;
}

static bool read_lines(struct tokens *tokens, FILE *in, struct error *error)
{
    char room[LINE_BYTES], where[24];
    struct span line;
    bool fine = true;
    for (int number = 1; fine && next_line(in, room, &line); number++) {
        snprintf(where, sizeof where, "line %d", number);
        fine = line.len < LINE_BYTES || fail(error, "longer than %d bytes", LINE_BYTES - 1);
        fine = (fine && read_line(tokens, line, error)) || fail_in(error, where);
    }
    explicit_bzero(room, sizeof room);
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
