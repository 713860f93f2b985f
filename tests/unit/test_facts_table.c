/* The table of facts: what every row must hold, and a few of the contract's rows word by word. */
#include "daemon/facts/table.h"
#include "tests/unit/unit.h"

static void dimensions_have_names(void **state)
{
    (void)state;
    for (int i = 0; i < N_DIMENSIONS; i++) {
        assert_non_null(dimension_names[i]);
        assert_int_equal(dimension_find(span_of(dimension_names[i])), i); /* so no name stands twice */
    }
    assert_int_equal(dimension_find(SPAN("colour")), -1);
    assert_int_equal(dimension_find(NO_SPAN), -1);
}

static void assert_row(int fact)
{
    const struct fact_row *row = &fact_rows[fact];
    if (!row->name) fail_msg("fact %d has no row", fact);
    assert_int_equal(fact_find(span_of(row->name)), fact);
    assert_null(strpbrk(row->name, ":;,=| ")); /* what the fields in Redis are parted by */
    assert_true(row->n_measures >= 1 && row->n_measures <= MEASURES_MAX);
    assert_string_equal(row->measures[0].name, "count");
    assert_int_equal(row->measures[0].type, MEASURE_COUNT);
    assert_true(row->n_dims <= FACT_DIMS_MAX);
    bool money = false;
    for (int i = 0; i < row->n_measures; i++) {
        assert_int_equal(fact_measure(row, span_of(row->measures[i].name)), i);
        money = money || row->measures[i].type == MEASURE_MONEY;
    }
    for (int i = 0; i < row->n_dims; i++) assert_int_equal(fact_dimension(row, (enum dimension)row->dims[i]), i);
    assert_true(!money || fact_dimension(row, DIM_CURRENCY) >= 0);
    assert_true(row->kinds < N_KIND_SETS);
    int customs = row->kinds < N_KINDS ? CUSTOM_MAX : row->kinds == KINDS_NONE ? 0 : CUSTOM_SHARED_MAX;
    assert_true(row->n_dims + customs <= CELL_DIMS_MAX);
}

static void every_row(void **state)
{
    (void)state;
    for (int fact = 0; fact < N_FACTS; fact++) assert_row(fact);
    assert_int_equal(fact_find(SPAN("deal_open")), -1); /* is stage_entered less stage_left */
    assert_int_equal(fact_measure(&fact_rows[FACT_LEAD], SPAN("amount")), -1);
    assert_int_equal(fact_dimension(&fact_rows[FACT_LEAD], DIM_STAGE), -1);
}

static void assert_listed(enum fact fact, const char *measures, const char *dims)
{
    const struct fact_row *row = &fact_rows[fact];
    char text[256] = "";
    for (int i = 0; i < row->n_measures; i++) strcat(strcat(text, i ? " " : ""), row->measures[i].name);
    assert_string_equal(text, measures);
    text[0] = 0;
    for (int i = 0; i < row->n_dims; i++) strcat(strcat(text, i ? " " : ""), dimension_names[row->dims[i]]);
    assert_string_equal(text, dims);
}

#define D "owner team source campaign"

static void rows_of_the_contract(void **state)
{
    (void)state;
    assert_listed(FACT_LEAD, "count", D);
    assert_listed(FACT_DEAL_WON, "count amount cost seconds calls", D " pipeline sale currency loss_reason competitor stage");
    assert_listed(FACT_STAGE_LEFT, "count amount seconds", D " pipeline stage currency expected_month");
    assert_listed(FACT_CALL, "count duration wait cost", D " purpose direction currency hour");
    assert_listed(FACT_CASE_CLOSED, "count seconds business_seconds same_day", D " case_kind priority channel");
    assert_listed(FACT_PROMISE_MISSED, "count", D " promise priority channel case_kind");
    assert_listed(FACT_CAMPAIGN_STARTED, "count cost budget", D " currency channel");
    assert_listed(FACT_VISIT, "count pages seconds with_goal", D " page");
    assert_listed(FACT_USER_ACTIVE, "count", D " user unit");
    assert_listed(FACT_RECORD, "count clean", "kind owner event_source");
    assert_listed(FACT_DUPLICATE_EVENT, "count", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dimensions_have_names),
        cmocka_unit_test(every_row),
        cmocka_unit_test(rows_of_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
