/* Who may ask: tokens from a file, one per line, `TOKEN` for all tenants, `TOKEN TENANT` for one; `#` begins a comment.
 * A token has one meaning: it does not stand there for two tenants, or for one and for all. */
#pragma once

#include "common/arena.h"
#include "common/error.h"

struct tokens {
    struct token {
        struct span secret, tenant; /* tenant.at NULL: all */
    } * at;
    size_t n;
    struct arena arena;
};

enum {
    TOKEN_BYTES_MIN = 16,
    TOKEN_BYTES_MAX = 512
};

/* An empty file name: there are no tokens, and everything is open. False: the file cannot be read, or a line is wrong; the
 * message shows no token. */
bool tokens_load(struct tokens *tokens, const char *file, struct error *error) MUST_USE;
void tokens_deinit(struct tokens *tokens);

bool tokens_none(const struct tokens *tokens);

/* What the value of an Authorization header (.at NULL: none) opens: "Bearer TOKEN", or Basic with the token as password. */
struct scope {
    bool all;
    struct span tenant; /* .at NULL and not all: nothing */
};
struct scope tokens_scope(const struct tokens *tokens, struct span authorization, struct arena *arena); /* copied there */
bool scope_opens(const struct scope *scope, struct span tenant);
