/* The catalogue as it is told: as JSON that can be read, as Markdown that is the reference in config/, as a table. */
#include "daemon/catalogue/describe.h"
#include "tests/unit/unit.h"

#include <yyjson.h>

static struct catalogue *load(const char *more)
{
    struct problems problems = { 0 };
    struct catalogue_file files[2] = { catalogue_shipped(), { "mine.json", span_of(more) } };
    struct catalogue *catalogue = catalogue_load(files, more ? 2 : 1, &problems);
    problems_print(&problems, "", stderr);
    problems_deinit(&problems);
    assert_non_null(catalogue);
    return catalogue;
}

static char *written(void (*write)(const struct catalogue *, struct buffer *), const char *more)
{
    struct buffer text = { 0 };
    struct catalogue *catalogue = load(more);
    write(catalogue, &text);
    catalogue_destroy(catalogue);
    buffer_byte(&text, 0);
    return text.at;
}

static void the_reference_is_what_is_printed(void **state)
{
    (void)state;
    static char file[1 << 17];
    FILE *in = fopen(SOURCE_DIR "/config/metrics.md", "r");
    assert_non_null(in);
    file[fread(file, 1, sizeof file - 1, in)] = 0;
    fclose(in);
    char *made = written(catalogue_write_markdown, NULL), *at = strstr(file, "## Metrics");
    if (!at || strcmp(at, made) != 0)
        fail_msg("config/metrics.md: from \"## Metrics\" on, put what crm-reportd catalogue --format markdown prints");
    free(made);
}

static yyjson_val *find(yyjson_val *list, const char *key, const char *name)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));)
        if (yyjson_equals_str(yyjson_obj_get(item, key), name)) return item;
    fail_msg("no %s %s", key, name);
    return NULL;
}

static void assert_part(yyjson_val *object, const char *key, const char *expected)
{
    char *text = yyjson_val_write(yyjson_obj_get(object, key), 0, NULL);
    assert_string_equal(text ? text : "nothing", expected);
    free(text);
}

static void as_json(void **state)
{
    (void)state;
    char *text =
        written(catalogue_write_json, "{\"metrics\":{\"own\":{\"about\":\"a \\\"b\\\"\",\"formula\":\"lead.count[source=a|b]\"}},"
                                      "\"reports\":{\"mine\":{\"by\":[[\"custom.region\",\"month\"]],\"metrics\":[\"own\"],"
                                      "\"periods\":[\"all\"]}}}");
    yyjson_doc *doc = yyjson_read(text, strlen(text), 0);
    assert_non_null(doc);
    yyjson_val *root = yyjson_doc_get_root(doc), *metrics = yyjson_obj_get(root, "metrics");
    assert_int_equal(strlen(yyjson_get_str(yyjson_obj_get(root, "catalogue"))), 16);
    yyjson_val *own = find(metrics, "metric", "own");
    assert_part(own, "description", "\"a \\\"b\\\"\"");
    assert_part(own, "formula", "\"lead.count[source=a|b]\"");
    assert_part(own, "by", "[\"owner\",\"team\",\"source\",\"campaign\"]");
    assert_part(own, "by_custom", "true");
    assert_part(find(metrics, "metric", "active_users"), "units", "[\"day\",\"week\",\"month\"]");
    assert_part(find(metrics, "metric", "records"), "units", "[]");
    assert_part(find(metrics, "metric", "sales_cycle"), "stats", "[\"average\",\"p50\",\"p90\",\"p95\"]");
    assert_part(find(metrics, "metric", "sales_velocity"), "needs_range", "true");
    assert_part(find(metrics, "metric", "goal_progress"), "shape", "\"goal\"");
    assert_part(find(metrics, "metric", "goal_progress"), "by", "[\"goal\"]");
    yyjson_val *mine = find(yyjson_obj_get(root, "reports"), "report", "mine");
    assert_part(mine, "sections", "[[\"region\",\"month\"]]");
    assert_part(mine, "columns", "[\"own\"]");
    assert_part(mine, "view", "nothing");
    assert_part(find(yyjson_obj_get(root, "reports"), "report", "audit"), "lists", "[\"offenders\"]");
    yyjson_val *fact = find(yyjson_obj_get(root, "facts"), "fact", "user_active");
    assert_part(fact, "by", "[\"owner\",\"team\",\"source\",\"campaign\",\"user\"]");
    assert_part(fact, "field", "[\"owner\",\"team\",\"source\",\"campaign\",\"user\",\"unit\"]");
    assert_part(yyjson_obj_get(root, "units"), "x", "nothing");
    yyjson_doc_free(doc);
    free(text);
}

static void only_what_is_there(void **state)
{
    (void)state;
    char *text = written(catalogue_write_json, "{\"only\":{\"metrics\":[\"leads\"]}}");
    assert_non_null(strstr(text, "\"reports\":[],\"facts\":[{\"fact\":\"lead\",\"dated\":true,\"measures\":[\"count\"]"));
    free(text);
}

static void as_a_table(void **state)
{
    (void)state;
    char *text = written(catalogue_write_table, "{\"only\":{\"metrics\":[\"leads\",\"active_users\",\"records\"]}}");
    assert_non_null(strstr(text, "\nleads         count  lead.count      "));
    assert_non_null(strstr(text, "  owner team source campaign user custom.…; per day week month\n"));
    assert_non_null(strstr(text, "  owner kind event_source; of now\n"));
    assert_non_null(strstr(text, "\nFACT         MEASURES  DIMENSIONS\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_is_what_is_printed),
        cmocka_unit_test(as_json),
        cmocka_unit_test(only_what_is_there),
        cmocka_unit_test(as_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
