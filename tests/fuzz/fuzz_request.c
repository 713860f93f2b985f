/* libFuzzer: a request is answered or refused, whatever it holds, and the answer is JSON. */
#include "daemon/report/query.h"

#include <yyjson.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool no_cells(void *context, struct bucket bucket,
                     bool (*each)(void *to, const struct cell_key *, const struct cell_value *), void *to, struct error *error)
{
    static const struct cell_key key = { .fact = FACT_LEAD, .n = 4, .dims = { 1 } };
    static const struct cell_value value = { .sums = { 2 } };
    (void)context, (void)error;
    if (bucket.type == BUCKET_MONTH) (void)each(to, &key, &value);
    return true;
}

static bool one_month(void *context, const int32_t **months, size_t *n, struct error *error)
{
    static const int32_t march[] = { 2026 * 12 + 2 };
    (void)context, (void)error;
    *months = march;
    *n = 1;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct catalogue *catalogue;
    static const struct rules rules = { .fiscal_year_start = 4, .currency = "EUR" };
    static struct names names;
    const struct cell_reader reader = { .cells = no_cells, .months = one_month };
    const struct query_tenant tenant = { &rules, &names, &reader, 20530 };
    struct problems problems = { 0 };
    struct catalogue_file shipped = catalogue_shipped();
    if (!catalogue) {
        catalogue = catalogue_load(&shipped, 1, &problems);
        names_init(&names);
        names_intern(&names, SPAN("u1"));
    }
    struct arena arena = { 0 };
    struct buffer out = { 0 };
    struct query query;
    struct query_error refused;
    struct error error = { 0 };
    if (query_parse(&query, (struct span){ (const char *)bytes, len }, &arena, &refused))
        REQUIRE(query_answer(&query, catalogue, &tenant, &out, &error));
    else
        query_error_write(&refused, &out);
    yyjson_doc *doc = yyjson_read(out.at, out.len, 0);
    REQUIRE(doc != NULL);
    yyjson_doc_free(doc);
    buffer_deinit(&out);
    arena_deinit(&arena);
    return 0;
}
