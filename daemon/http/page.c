/* The dashboard: files that the daemon carries inside. */
#include "daemon/http/page.h"

#include "common/map.h"
#include "daemon/http/routes.h"

#include <stdio.h>

extern const char embedded_openapi[];
extern const unsigned long embedded_openapi_bytes;

static const struct {
    const char *ending, *type;
} types[] = {
    { ".html", "text/html; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" },
    { ".svg", "image/svg+xml" },
};

static const char *type_of(const char *name)
{
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending && i < sizeof types / sizeof *types; i++)
        if (!strcmp(ending, types[i].ending)) return types[i].type;
    return "application/octet-stream";
}

static void answer_file(struct exchange *exchange, const char *type, const char *bytes, unsigned long len)
{
    answer_with(exchange, type);
    snprintf(exchange->answer.etag, ETAG_BYTES, "\"%016llx\"", (unsigned long long)bytes_hash(bytes, len));
    exchange->answer.fixed = (struct span){ bytes, len };
}

void answer_page(const struct answering *with, struct exchange *exchange)
{
    struct span name = exchange->file.len ? exchange->file : SPAN("index.html");
    (void)with;
    for (const struct page_file *file = page_files; file->name; file++) {
        if (!span_is(name, file->name)) continue;
        answer_file(exchange, type_of(file->name), file->bytes, *file->len);
        return;
    }
    answer_problem(exchange, 404, "no_such_path", "there is nothing here; /v1/openapi.json describes what there is");
}

void answer_openapi(const struct answering *with, struct exchange *exchange)
{
    (void)with;
    answer_file(exchange, type_json, embedded_openapi, embedded_openapi_bytes);
}
