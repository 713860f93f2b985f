#include "daemon/http/exchange.h"

#include "daemon/report/text.h"

#include <stdarg.h>
#include <stdio.h>

const char type_json[] = "application/json", type_csv[] = "text/csv; charset=utf-8; header=present";

enum {
    DETAIL_BYTES = 640
};

static const struct {
    unsigned status;
    const char *title;
} titles[] = {
    { 200, "OK" },
    { 304, "Not Modified" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 413, "Content Too Large" },
    { 421, "Misdirected Request" },
    { 500, "Internal Server Error" },
    { 503, "Service Unavailable" },
};

static const char *status_title(unsigned status)
{
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (titles[i].status == status) return titles[i].title;
    return "";
}

void exchange_init(struct exchange *exchange)
{
    *exchange = (struct exchange){ 0 };
}

void exchange_deinit(struct exchange *exchange)
{
    arena_deinit(&exchange->arena);
    buffer_deinit(&exchange->body);
    buffer_deinit(&exchange->answer.text);
}

struct span exchange_argument(const struct exchange *exchange, const char *name)
{
    for (size_t i = 0; i < exchange->n_arguments; i++)
        if (span_is(exchange->arguments[i].name, name)) return exchange->arguments[i].value;
    return NO_SPAN;
}

bool exchange_matches(const struct exchange *exchange, const char *etag)
{
    struct span list = exchange->if_none_match;
    if (!list.len || !etag[0]) return false;
    return span_is(list, "*") || memmem(list.at, list.len, etag, strlen(etag)) != NULL;
}

struct buffer *answer_with(struct exchange *exchange, const char *content_type)
{
    buffer_clear(&exchange->answer.text);
    exchange->answer.fixed = NO_SPAN;
    exchange->answer.status = 200;
    exchange->answer.content_type = content_type;
    return &exchange->answer.text;
}

void answer_problem(struct exchange *exchange, unsigned status, const char *code, const char *format, ...)
{
    char detail[DETAIL_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    struct buffer *out = answer_with(exchange, "application/problem+json");
    exchange->answer.status = status;
    exchange->answer.stream = false;
    exchange->answer.file_name = NULL;
    exchange->answer.etag[0] = '\0';
    buffer_printf(out, "{\"title\":\"%s\",\"status\":%u,\"code\":\"%s\",\"detail\":", status_title(status), status, code);
    text_write(span_of(detail), out);
    buffer_byte(out, '}');
}
