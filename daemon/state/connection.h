/* One connection to Redis: requests are gathered, written and answered without ever blocking in a system call. Whatever goes
 * wrong on the way closes it. Used inside daemon/state only. */
#pragma once

#include "daemon/state/address.h"
#include "daemon/state/redis.h"
#include "daemon/state/replies.h"

struct connection;

struct connection *connection_create(const struct redis_settings *settings); /* copies; not open yet */
/* Another one for the same user, to this server. */
struct connection *connection_to(const struct connection *like, const struct endpoint *server);
void connection_destroy(struct connection *connection);
bool connection_open(struct connection *connection, struct error *error) MUST_USE;
/* Waits no longer for each answer. */
bool connection_open_within(struct connection *connection, int answer_ms, struct error *error) MUST_USE;
void connection_close(struct connection *connection);
bool connection_is_open(const struct connection *connection);
const char *connection_where(const struct connection *connection);
const struct address *connection_address(const struct connection *connection);

/* A request of so many arguments, the command's name among them; then exactly as many request_… calls. */
enum {
    REQUEST_ARGUMENTS_MAX = 1000000
}; /* Redis closes the connection at 1024 * 1024 */
void request_begin(struct connection *connection, size_t n_arguments);
void request_argument(struct connection *connection, struct span argument);
void request_number(struct connection *connection, int64_t number);

/* A whole request of texts: request_texts(connection, 2, "CONFIG", "RESETSTAT"). */
void request_texts(struct connection *connection, size_t n, ...);

size_t connection_unsent_bytes(const struct connection *connection);

/* Writes what the socket takes at once, waits for nothing. False: lost, closed. */
bool connection_flush(struct connection *connection, struct error *error) MUST_USE;

/* The next answer, to be released with reply_free; requests go on being written meanwhile. NULL: lost, closed. */
redisReply *connection_answer(struct connection *connection, struct error *error) MUST_USE;

/* What comes unasked, as messages of channels do: the next one within wait_ms. NULL without an error: none has come; with one:
 * lost, closed. */
redisReply *connection_message(struct connection *connection, int wait_ms, struct error *error) MUST_USE;

/* The same of an answer that must not be an error of the server: NULL then with *outcome REFUSED, or LOST. */
redisReply *connection_answer_ok(struct connection *connection, enum outcome *outcome, struct error *error) MUST_USE;

/* The second half of it: of an answer already taken. */
redisReply *connection_checked(struct connection *connection, redisReply *reply, enum outcome *outcome,
                               struct error *error) MUST_USE;

/* Puts the refusal in words. Always returns false. A refusal that another server may not utter makes the connection close
 * with connection_settle. */
bool connection_refused(struct connection *connection, const redisReply *reply, struct error *error);

/* After the last answer of an operation. */
void connection_settle(struct connection *connection);

/* A script of the server, called by its hash, loaded when the server does not know it. */
struct script {
    const char *text;
    size_t bytes;
    char hash[41]; /* empty: not loaded yet */
};
/* Loads it now, in one round trip. */
bool script_load(struct connection *connection, struct script *script, enum outcome *outcome, struct error *error) MUST_USE;
bool reply_is_no_script(const redisReply *reply);

/* Text of a reply; an empty text for one that has none. */
struct span reply_text(const redisReply *reply);
bool reply_is_list(const redisReply *reply, size_t n); /* an array of so many */
int64_t reply_number(const redisReply *reply);         /* integer or decimal text; 0 when neither */

/* A copy in the arena whose `at` is never NULL. NO_SPAN for nil. */
struct span reply_copy(const redisReply *reply, struct arena *arena);
