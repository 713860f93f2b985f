/* Queries over cells in memory: the rules of the contract's "Queries", one by one. */
#include "tests/unit/memory_cells.h"
#include "tests/unit/unit.h"

static struct memory_cells *cells;
static struct catalogue *catalogue;
static const char *today;

static int start(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    cells = memory_cells_create();
    catalogue = load_catalogue(NULL, &problems);
    problems_print(&problems, "", stderr);
    problems_deinit(&problems);
    today = "2026-03-15";
    return catalogue ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    catalogue_destroy(catalogue);
    memory_cells_destroy(cells);
    return 0;
}

#define ANSWER(request, rows) assert_string_equal(ask(cells, catalogue, today, request), "{'rows':[" rows "]}")

static void refused(const char *request, const char *code, const char *part)
{
    const char *answer = ask(cells, catalogue, today, request);
    char start_of[64];
    snprintf(start_of, sizeof start_of, "{'error':{'code':'%s'", code);
    if (strncmp(answer, start_of, strlen(start_of)) || !strstr(answer, part)) fail_msg("%s: %s", request, answer);
}

static void counts_and_missing_values_last(void **state)
{
    (void)state;
    put_fact(cells, "2026-03-02", "lead source=web owner=u1");
    put_fact(cells, "2026-03-05", "lead source=fair");
    put_fact(cells, "2026-03-05", "lead owner=u2");
    put_fact(cells, "2026-02-05", "lead source=web owner=\"x\\");
    ANSWER("{'metric':'leads'}", "{'value':4}");
    ANSWER("{'metric':'leads','from':'2026-03-01','to':'2026-03-31'}", "{'value':3}");
    ANSWER("{'metric':'leads','period':'this_month','by':['source']}",
           "{'source':'fair','value':1},{'source':'web','value':1},{'source':null,'value':1}");
    ANSWER("{'metric':'leads','period':'last_month','by':['owner']}", "{'owner':'\\'x\\\\','value':1}");
    ANSWER("{'metric':'leads','where':{'source':['web',null]}}", "{'value':3}");
    ANSWER("{'metric':'leads','where':{'source':['nobody']}}", "{'value':0}");
    ANSWER("{'metric':'leads','where':{'source':[]}}", "{'value':0}");
    ANSWER("{'metric':'leads','where':{'source':[null]},'by':['owner']}", "{'owner':'u2','value':1}");
    ANSWER("{'metric':'leads','period':'next_month','by':['source']}", "");
}

/* A ratio of money is one of each currency, and each is kept between. */
static void ratios_of_money_between_two_bounds(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    struct catalogue *own = load_catalogue("{\"metrics\":{\"clamped\":\"between(0, margin, 0.5)\"}}", &problems);
    put_fact(cells, "2026-03-02", "deal_won currency=EUR amount=10000 cost=1000");
    put_fact(cells, "2026-03-02", "deal_won currency=USD amount=10000 cost=15000");
    put_fact(cells, "2026-03-02", "deal_won currency=JPY amount=100 cost=75");
    assert_string_equal(ask(cells, own, today, "{'metric':'clamped'}"), "{'rows':[{'value':{'EUR':0.5,'JPY':0.25,'USD':0}}]}");
    catalogue_destroy(own);
    problems_deinit(&problems);
}

static void several_metrics_at_once(void **state)
{
    (void)state;
    put_fact(cells, "2026-03-02", "lead source=web owner=u1");
    put_fact(cells, "2026-03-05", "lead source=fair");
    put_fact(cells, "2026-03-07", "lead_converted source=web");
    put_fact(cells, "2026-03-08", "lead_converted source=mail");
    put_fact(cells, "2026-03-07", "conversion source=web seconds=86400000");
    put_fact(cells, "2026-03-08", "conversion source=mail seconds=259200000");
    put_fact(cells, "2026-02-05", "lead source=phone");
    ANSWER("{'metrics':['leads','conversion_rate','days_to_convert.average'],'period':'this_month'}",
           "{'leads':2,'conversion_rate':1,'days_to_convert.average':2}");
    ANSWER("{'metrics':['converted_leads','leads','days_to_convert'],'period':'this_month','by':['source']}",
           "{'source':'fair','converted_leads':null,'leads':1,'days_to_convert':null},"
           "{'source':'mail','converted_leads':1,'leads':null,'days_to_convert':3},"
           "{'source':'web','converted_leads':1,'leads':1,'days_to_convert':1}");
    ANSWER("{'metrics':['leads'],'by':['month']}", "{'month':'2026-02','leads':1},{'month':'2026-03','leads':2}");
    ANSWER("{'metrics':['leads','converted_leads'],'by':['source'],'where':{'source':['nobody']}}", "");
    refused("{'metrics':[]}", "bad_request", "1 to 32");
    refused("{'metrics':'leads'}", "bad_request", "list");
    refused("{'metrics':[7]}", "bad_request", "list");
    refused("{'metrics':['leads','leads']}", "bad_request", "twice");
    refused("{'metrics':['leads'],'metric':'leads'}", "bad_request", "instead");
    refused("{'metrics':['leads'],'stat':'p90'}", "bad_request", "instead");
    refused("{'metrics':['leads','region'],'by':['region']}", "bad_request", "two of that name");
    refused("{'metrics':['leads','leeds']}", "unknown_metric", "leads");
    refused("{'metrics':['leads','leads.p90']}", "unknown_stat", "leads");
    refused("{'metrics':['won_deals','leads'],'by':['pipeline']}", "unknown_dimension", "leads");
}

static void units_are_cut_by_the_range(void **state)
{
    (void)state;
    cells->rules.week_start = 6;
    put_fact(cells, "2025-12-31", "lead");
    put_fact(cells, "2026-01-03", "lead");
    put_fact(cells, "2026-03-01", "lead");
    put_fact(cells, "2026-03-04", "lead");
    ANSWER("{'metric':'leads','by':['week']}", "{'week':'2025-12-28','value':2},{'week':'2026-03-01','value':2}");
    ANSWER("{'metric':'leads','by':['week'],'from':'2026-03-04','to':'2026-03-31'}", "{'week':'2026-03-01','value':1}");
    ANSWER("{'metric':'leads','by':['quarter']}", "{'quarter':'2025-Q4','value':1},{'quarter':'2026-Q1','value':3}");
    ANSWER("{'metric':'leads','by':['year']}", "{'year':'2025','value':1},{'year':'2026','value':3}");
    ANSWER("{'metric':'leads','by':['month'],'period':'this_year'}",
           "{'month':'2026-01','value':1},{'month':'2026-03','value':2}");
    cells->rules.fiscal_year_start = 4;
    ANSWER("{'metric':'leads','by':['quarter']}", "{'quarter':'2025-Q3','value':1},{'quarter':'2025-Q4','value':3}");
}

static void whole_months_are_read_as_months(void **state)
{
    (void)state;
    put_fact(cells, "2026-01-10", "lead");
    put_fact(cells, "2026-02-10", "lead");
    put_fact(cells, "2026-03-10", "lead");
    ANSWER("{'metric':'leads','from':'2026-01-10','to':'2026-02-28'}", "{'value':2}");
    assert_int_equal(cells->months_read, 1);
    assert_int_equal(cells->days_read, 22);
    ANSWER("{'metric':'leads','by':['month']}",
           "{'month':'2026-01','value':1},{'month':'2026-02','value':1},{'month':'2026-03','value':1}");
    assert_int_equal(cells->months_read, 4);
    assert_int_equal(cells->days_read, 22);
}

static void money_by_currency(void **state)
{
    (void)state;
    put_fact(cells, "2026-03-01", "deal_won owner=u1 currency=EUR amount=125080 cost=25010 sale=new");
    put_fact(cells, "2026-03-01", "deal_won owner=u1 currency=JPY amount=3 sale=renewal");
    put_fact(cells, "2026-03-02", "deal_won owner=u2 currency=JPY sale=renewal");
    put_fact(cells, "2026-03-02", "deal_won owner=u2 currency=KWD amount=-1234 sale=new");
    put_fact(cells, "2026-03-02", "deal_won owner=u3 currency=EUR sale=up_sell");
    ANSWER("{'metric':'revenue'}", "{'value':{'EUR':1250.80,'JPY':3,'KWD':-1.234}}");
    ANSWER("{'metric':'revenue','period':'next_month'}", "{'value':{}}");
    ANSWER("{'metric':'average_deal_size'}", "{'value':{'EUR':625.40,'JPY':2,'KWD':-1.234}}");
    ANSWER(
        "{'metric':'margin','by':['owner']}",
        "{'owner':'u1','value':{'EUR':0.8000479692996483,'JPY':1}},{'owner':'u2','value':{'KWD':1}},{'owner':'u3','value':{}}");
    ANSWER("{'metric':'sales_velocity','from':'2026-03-01','to':'2026-03-02'}", "{'value':{'EUR':625.40,'JPY':2,'KWD':-0.617}}");
    ANSWER("{'metric':'sales_velocity','from':'2026-04-01','to':'2026-04-02'}", "{'value':{}}");
    ANSWER("{'metric':'sales_velocity','by':['month']}", "{'month':'2026-03','value':{'EUR':83.39,'KWD':-0.082}}");
    refused("{'metric':'sales_velocity'}", "bad_range", "all");
    ANSWER("{'metric':'revenue','by':['currency'],'where':{'currency':['EUR','JPY']}}",
           "{'currency':'EUR','value':{'EUR':1250.80}},{'currency':'JPY','value':{'JPY':3}}");
}

static void filters_have_no_row_measures_have(void **state)
{
    (void)state;
    put_fact(cells, "2026-03-01", "deal_won owner=u1 currency=EUR amount=100 sale=renewal");
    put_fact(cells, "2026-03-01", "case_closed owner=u1 seconds=90000000");
    put_fact(cells, "2026-03-01", "case_closed owner=u2 same_day=1 seconds=1");
    ANSWER("{'metric':'new_revenue','by':['owner']}", "");
    ANSWER("{'metric':'cases_closed_same_day','by':['owner']}", "{'owner':'u1','value':0},{'owner':'u2','value':1}");
    ANSWER("{'metric':'same_day_rate','by':['owner']}", "{'owner':'u1','value':0},{'owner':'u2','value':1}");
}

static void ratios_of_nothing_are_null(void **state)
{
    (void)state;
    put_fact(cells, "2026-03-01", "lead");
    put_fact(cells, "2026-03-01", "lead");
    put_fact(cells, "2026-03-01", "lead");
    put_fact(cells, "2026-03-01", "lead_converted");
    ANSWER("{'metric':'conversion_rate'}", "{'value':0.3333333333333333}");
    ANSWER("{'metric':'conversion_rate','period':'next_year'}", "{'value':null}");
    ANSWER("{'metric':'days_to_convert'}", "{'value':null}");
    ANSWER("{'metric':'days_to_convert','stat':'p90'}", "{'value':null}");
}

static void distributions(void **state)
{
    (void)state;
    put_fact(cells, "2026-03-01", "case_resolved seconds=14400000 case_kind=question");
    put_fact(cells, "2026-03-02", "case_resolved seconds=43200000 case_kind=complaint");
    put_fact(cells, "2026-03-02", "case_resolved case_kind=complaint");
    ANSWER("{'metric':'resolution_time'}", "{'value':8}");
    ANSWER("{'metric':'complaint_resolution_time','stat':'average'}", "{'value':12}");
    const char *p50 = ask(cells, catalogue, today, "{'metric':'resolution_time','stat':'p50'}");
    assert_true(strtod(strchr(p50, '[') + strlen("[{'value':"), NULL) > 3.96 &&
                strtod(strchr(p50, '[') + strlen("[{'value':"), NULL) < 4.04);
    refused("{'metric':'resolution_time','stat':'p99'}", "unknown_stat", "p90");
    refused("{'metric':'leads','stat':'p50'}", "unknown_stat", "no distribution");
}

static void levels_on_past_days(void **state)
{
    (void)state;
    today = "2026-03-18";
    put_fact(cells, "2026-02-27", "stage_entered stage=a owner=u1 currency=EUR amount=1000");
    put_fact(cells, "2026-03-04", "stage_entered stage=a owner=u2 currency=EUR amount=2000");
    put_fact(cells, "2026-03-09", "stage_left stage=a owner=u1 currency=EUR amount=1000 seconds=1");
    put_fact(cells, "2026-03-16", "stage_left stage=a owner=u2 currency=EUR amount=2000 seconds=1");
    ANSWER("{'metric':'open_deals','from':'2026-03-01','to':'2026-03-04'}", "{'value':2}");
    ANSWER("{'metric':'open_deals'}", "{'value':0}");
    ANSWER("{'metric':'open_deals','period':'this_month','by':['week']}",
           "{'week':'2026-02-23','value':1},{'week':'2026-03-02','value':2},{'week':'2026-03-09','value':1}");
    ANSWER("{'metric':'open_deals','by':['week','owner'],'from':'2026-02-23','to':'2026-03-10'}",
           "{'week':'2026-02-23','owner':'u1','value':1},{'week':'2026-03-02','owner':'u1','value':1},"
           "{'week':'2026-03-02','owner':'u2','value':1},{'week':'2026-03-09','owner':'u2','value':1}");
    ANSWER("{'metric':'open_amount','from':'2026-03-04','to':'2026-03-04','by':['day','owner']}",
           "{'day':'2026-03-04','owner':'u1','value':{'EUR':10.00}},{'day':'2026-03-04','owner':'u2','value':{'EUR':20.00}}");
    ANSWER("{'metric':'open_deals','by':['month']}", "{'month':'2026-02','value':1}");
    ANSWER("{'metric':'entered','by':['month']}", "{'month':'2026-02','value':1},{'month':'2026-03','value':1}");
    refused("{'metric':'entered','by':['expected_month']}", "unknown_dimension", "entered");
    ANSWER("{'metric':'open_deals','from':'2026-03-01','to':'2026-03-05','by':['expected_month']}",
           "{'expected_month':null,'value':2}");
}

static void list_growth_against_the_day_before(void **state)
{
    (void)state;
    put_fact(cells, "2026-02-10", "list_joined list=main");
    put_fact(cells, "2026-02-10", "list_joined list=main");
    put_fact(cells, "2026-02-11", "list_joined list=old");
    put_fact(cells, "2026-03-05", "list_joined list=main");
    put_fact(cells, "2026-03-06", "list_joined list=news");
    ANSWER("{'metric':'list_growth_rate','period':'this_month'}", "{'value':0.6666666666666666}");
    ANSWER("{'metric':'list_growth_rate','period':'this_month','by':['list']}",
           "{'list':'main','value':0.5},{'list':'news','value':null},{'list':'old','value':0}");
    ANSWER("{'metric':'list_growth_rate','by':['month']}",
           "{'month':'2026-02','value':null},{'month':'2026-03','value':0.6666666666666666}");
    ANSWER("{'metric':'list_growth_rate'}", "{'value':null}");
}

static void undated_levels_of_now(void **state)
{
    (void)state;
    put_fact(cells, "", "record kind=contact owner=u1 event_source=/crm count=4 clean=1");
    put_fact(cells, "", "record kind=deal owner=u1 event_source=/crm count=2");
    ANSWER("{'metric':'records','by':['kind']}", "{'kind':'contact','value':4},{'kind':'deal','value':2}");
    ANSWER("{'metric':'quality','by':['kind'],'period':'last_week'}",
           "{'kind':'contact','value':0.25},{'kind':'deal','value':0}");
    ANSWER("{'metric':'duplicate_events'}", "{'value':0}");
    refused("{'metric':'records','by':['month']}", "unknown_dimension", "month");
    refused("{'metric':'duplicate_events','by':['owner']}", "unknown_dimension", "none");
}

static void customers_per_whole_unit(void **state)
{
    (void)state;
    today = "2026-05-01";
    put_fact(cells, "2026-01-01", "customer_active unit=month source=web count=2");
    put_fact(cells, "2026-01-01", "customer_active unit=month source=fair");
    put_fact(cells, "2026-01-01", "customer_active unit=quarter source=fair count=7");
    put_fact(cells, "2026-02-01", "customer_active unit=month source=web count=2");
    put_fact(cells, "2026-02-01", "customer_retained unit=month source=web count=1");
    put_fact(cells, "2026-02-01", "customer_kept unit=month source=web count=1");
    put_fact(cells, "2026-01-01", "customer_retained unit=year source=web count=5");
    ANSWER("{'metric':'retained_customers','from':'2026-02-01','to':'2026-02-28'}", "{'value':1}");
    ANSWER("{'metric':'retained_customers','from':'2026-01-01','to':'2026-12-31'}", "{'value':5}");
    ANSWER("{'metric':'retention_rate','from':'2026-02-01','to':'2026-02-28'}", "{'value':0.3333333333333333}");
    ANSWER("{'metric':'retention_rate','from':'2026-02-01','to':'2026-02-28','by':['source']}",
           "{'source':'fair','value':0},{'source':'web','value':0.5}");
    ANSWER("{'metric':'retention_rate','by':['month'],'from':'2026-01-01','to':'2026-12-31'}",
           "{'month':'2026-02','value':0.3333333333333333},{'month':'2026-03','value':0}");
    ANSWER("{'metric':'retention_rate','from':'2026-04-01','to':'2026-06-30'}", "{'value':0}");
    refused("{'metric':'retained_customers','from':'2026-02-01','to':'2026-02-27'}", "bad_range", "one month, quarter or year");
    refused("{'metric':'retained_customers','period':'this_month','by':['week']}", "bad_range", "one month");
    refused("{'metric':'retained_customers'}", "bad_range", "one month");
    refused("{'metric':'retained_customers','by':['month'],'from':'2026-01-02','to':'2026-03-31'}", "bad_range", "whole");
    refused("{'metric':'retained_customers','by':['unit'],'period':'this_month'}", "unknown_dimension", "unit");
}

static void users_per_day_week_month(void **state)
{
    (void)state;
    put_fact(cells, "2026-02-01", "user user=u1");
    put_fact(cells, "2026-02-01", "user user=u2");
    put_fact(cells, "2026-02-20", "user user=u2 count=-1");
    put_fact(cells, "2026-02-20", "user user=u3");
    put_fact(cells, "2026-03-02", "user_active user=u1 unit=day");
    put_fact(cells, "2026-03-02", "user_active user=u1 unit=week");
    put_fact(cells, "2026-03-01", "user_active user=u1 unit=month");
    put_fact(cells, "2026-03-01", "user_active user=u3 unit=month");
    ANSWER("{'metric':'users'}", "{'value':2}");
    ANSWER("{'metric':'active_users','from':'2026-03-02','to':'2026-03-02'}", "{'value':1}");
    ANSWER("{'metric':'active_users','from':'2026-03-02','to':'2026-03-08'}", "{'value':1}");
    ANSWER("{'metric':'active_users','period':'this_month'}", "{'value':2}");
    ANSWER("{'metric':'adoption_rate','from':'2026-03-02','to':'2026-03-15','by':['week']}",
           "{'week':'2026-03-02','value':0.5},{'week':'2026-03-09','value':0}");
    refused("{'metric':'active_users','from':'2026-03-02','to':'2026-03-05'}", "bad_range", "one day, week or month");
    refused("{'metric':'active_users','period':'this_year'}", "bad_range", "one day, week or month");
}

static void lifetime_value_to_the_end_of_the_period(void **state)
{
    (void)state;
    put_fact(cells, "2026-02-10", "customer_new source=web currency=EUR");
    put_fact(cells, "2026-02-10", "purchase source=web currency=EUR amount=10000");
    put_fact(cells, "2026-03-10", "purchase source=web currency=EUR amount=20000");
    put_fact(cells, "2026-03-10", "customer_new source=fair currency=EUR");
    put_fact(cells, "2026-03-10", "purchase source=fair currency=EUR amount=10001");
    ANSWER("{'metric':'customer_lifetime_value','period':'this_month'}", "{'value':{'EUR':200.01}}");
    ANSWER("{'metric':'customer_lifetime_value','period':'last_month','by':['source']}",
           "{'source':'web','value':{'EUR':100.00}}");
    ANSWER("{'metric':'customer_lifetime_value','period':'this_month','by':['source']}",
           "{'source':'fair','value':{'EUR':100.01}},{'source':'web','value':{'EUR':300.00}}");
    ANSWER("{'metric':'customer_lifetime_value','from':'2026-01-01','to':'2026-01-31'}", "{'value':{}}");
}

static void put_outcomes(void)
{
    put_fact(cells, "2026-02-05", "stage_outcome pipeline=p stage=offer count=4 won=3");
    put_fact(cells, "2026-02-05", "stage_outcome pipeline=p stage=talk count=2");
    put_fact(cells, "2026-02-05", "stage_outcome pipeline=q stage=sure count=98 won=98");
}

static void win_probability(void **state)
{
    (void)state;
    put_outcomes();
    ANSWER("{'metric':'win_probability','by':['stage'],'period':'next_month'}",
           "{'stage':'offer','value':0.6666666666666666},{'stage':'sure','value':0.95},{'stage':'talk','value':0.25}");
    ANSWER("{'metric':'win_probability','where':{'stage':['talk']}}", "{'value':0.25}");
    ANSWER("{'metric':'win_probability','where':{'stage':['new']}}", "{'value':0.5}");
    refused("{'metric':'win_probability','by':['owner']}", "unknown_dimension", "pipeline, stage");
    refused("{'metric':'win_probability','by':['month']}", "unknown_dimension", "month");
}

static void forecasts_weigh_and_round_each_stage(void **state)
{
    (void)state;
    put_outcomes();
    put_fact(cells, "2026-03-10", "deal_won pipeline=p owner=u2 currency=EUR amount=5000");
    put_fact(cells, "2026-03-31", "deal_expected pipeline=p stage=offer owner=u1 currency=EUR amount=10000");
    put_fact(cells, "2026-03-20", "deal_expected pipeline=p stage=talk owner=u1 currency=EUR amount=10");
    put_fact(cells, "2026-03-21", "deal_expected pipeline=p stage=talk owner=u2 currency=EUR amount=20");
    put_fact(cells, "2026-03-20", "deal_expected pipeline=p stage=first owner=u2 currency=USD amount=1001");
    put_fact(cells, "2026-04-01", "deal_expected pipeline=q stage=sure owner=u2 currency=EUR amount=1000");
    ANSWER("{'metric':'best_case','period':'this_month'}", "{'value':{'EUR':150.30,'USD':10.01}}");
    ANSWER("{'metric':'forecast','period':'this_month'}", "{'value':{'EUR':116.75,'USD':5.01}}");
    ANSWER("{'metric':'forecast','period':'this_month','by':['owner']}",
           "{'owner':'u1','value':{'EUR':66.70}},{'owner':'u2','value':{'EUR':50.05,'USD':5.01}}");
    ANSWER("{'metric':'forecast','from':'2026-03-01','to':'2026-04-30','by':['month'],'where':{'owner':['u2']}}",
           "{'month':'2026-03','value':{'EUR':50.05,'USD':5.01}},{'month':'2026-04','value':{'EUR':9.50}}");
    ANSWER("{'metric':'commit','from':'2026-03-01','to':'2026-04-30'}", "{'value':{'EUR':60.00}}");
}

static void custom_attributes(void **state)
{
    (void)state;
    put_fact(cells, "2026-03-01", "deal_won currency=EUR amount=100 region=north");
    put_fact(cells, "2026-03-01", "deal_won currency=EUR amount=200");
    ANSWER("{'metric':'revenue','by':['region']}",
           "{'region':'north','value':{'EUR':1.00}},{'region':null,'value':{'EUR':2.00}}");
    ANSWER("{'metric':'revenue','where':{'region':[null]}}", "{'value':{'EUR':2.00}}");
    refused("{'metric':'revenue','by':['shade']}", "unknown_dimension", "shade");
    refused("{'metric':'campaign_roi','by':['region']}", "unknown_dimension", "region");
}

static void several_facts_share_dimensions(void **state)
{
    (void)state;
    put_fact(cells, "2026-03-01", "campaign_started campaign=fair currency=EUR cost=10000 channel=event");
    put_fact(cells, "2026-03-01", "campaign_started campaign=free");
    put_fact(cells, "2026-03-02", "deal_won campaign=spring currency=EUR amount=50000");
    put_fact(cells, "2026-03-02", "deal_won currency=EUR amount=77700");
    ANSWER("{'metric':'campaign_roi','by':['campaign']}",
           "{'campaign':'fair','value':{'EUR':-1}},{'campaign':'free','value':{}},{'campaign':'spring','value':{}}");
    refused("{'metric':'campaign_roi','by':['channel']}", "unknown_dimension", "channel");
    ANSWER("{'metric':'campaign_cost','by':['channel']}",
           "{'channel':'event','value':{'EUR':100.00}},{'channel':null,'value':{}}");
}

static void requests_that_are_refused(void **state)
{
    (void)state;
    refused("{'metric':'leeds'}", "unknown_metric", "leads");
    refused("{'metric':'leads','by':['pipeline']}", "unknown_dimension", "owner, team, source, campaign");
    refused("{'metric':'leads','by':['sorce']}", "unknown_dimension", "source");
    refused("{'metric':'leads','where':{'month':['2026-03']}}", "unknown_dimension", "from");
    refused("{'metric':'leads','period':'this_mont'}", "unknown_period", "this_month");
    refused("{'metric':'leads','from':'2026-03-31','to':'2026-03-01'}", "bad_range", "after");
    refused("{'metric':'leads','from':'2026-02-30','to':'2026-03-01'}", "bad_range", "2026-02-30");
    refused("{'metric':'leads','from':'2026-02-20'}", "bad_request", "together");
    refused("{'metric':'leads','period':'today','from':'2026-03-01'}", "bad_request", "period");
    refused("{'metric':'leads','by':['week','month']}", "bad_request", "week and month");
    refused("{'metric':'leads','by':['owner','owner']}", "bad_request", "twice");
    /* a list given again would go on where the one before ended, beyond its room */
    refused("{'metric':'leads','by':['owner','team','source','campaign'],'by':['pipeline','stage','currency','channel','list']}",
            "bad_request", "by\\' is given twice");
    refused("{'metric':'leads','where':{},'where':{}}", "bad_request", "where\\' is given twice");
    refused("{'metrics':['a'],'metrics':['b']}", "bad_request", "metrics\\' is given twice");
    refused("{'metric':'leads','metric':'deals'}", "bad_request", "metric\\' is given twice");
    refused("{'metric':'leads','by':'owner'}", "bad_request", "by");
    refused("{'metric':'leads','where':{'owner':'u1'}}", "bad_request", "list");
    refused("{'metric':'leads','where':{'owner':[1]}}", "bad_request", "null");
    refused("{'metric':'leads','perod':'today'}", "bad_request", "period");
    refused("{'metric':7}", "bad_request", "metric");
    refused("{}", "bad_request", "metric");
    refused("[]", "bad_request", "object");
    refused("{'metric':'leads'", "bad_request", "JSON");
    refused("", "bad_request", "JSON");
}

static void long_names_are_cut_at_a_letter(void **state)
{
    (void)state;
    char request[1024] = "{'metric':'x", *at = request + strlen(request);
    for (int i = 0; i < 300; i++) at = stpcpy(at, "é");
    strcpy(at, "'}");
    const char *answer = ask(cells, catalogue, today, request);
    assert_true(strlen(answer) < 500);
    assert_string_equal(answer + strlen(answer) - strlen("é'}}"), "é'}}");
}

/* As somebody may have written them into Redis. */
static void fewer_than_no_durations_have_no_percentile(void **state)
{
    (void)state;
    struct cell_key key;
    struct cell_value value, taken = { 0 };
    make_cell(cells, "conversion source=web seconds=86400000", &key, &value);
    assert_true(cell_value_add(&taken, &value, -1));
    put_cell(cells, day("2026-03-07"), &key, &taken);
    ANSWER("{'metric':'days_to_convert','stat':'p90'}", "{'value':null}");
    ANSWER("{'metric':'days_to_convert','by':['source']}", "{'source':'web','value':null}");
    cell_value_deinit(&value);
    cell_value_deinit(&taken);
}

/* A level has a row for each day from its first one on: who is asked for too many says so, and does not make them. */
static void more_rows_than_there_is_room_for_are_refused(void **state)
{
    (void)state;
    char fact[64];
    for (int i = 0; i < 12; i++) {
        snprintf(fact, sizeof fact, "stage_entered stage=a owner=u%d", i);
        put_fact(cells, "1900-01-02", fact);
    }
    refused("{'metric':'open_deals','by':['day','owner']}", "bad_request", "more than 200000 rows");
    refused("{'metrics':['open_deals','left','entered'],'by':['day','owner']}", "bad_request", "more than 200000 rows");
    put_fact(cells, "1900-01-04", "stage_left stage=a owner=u0");
    ANSWER("{'metric':'open_deals','by':['day','owner'],'where':{'owner':['u0']}}",
           "{'day':'1900-01-02','owner':'u0','value':1},{'day':'1900-01-03','owner':'u0','value':1}");
    put_fact(cells, "2026-03-14", "stage_entered stage=a owner=u0");
    ANSWER("{'metric':'open_deals','by':['day','owner'],'where':{'owner':['u0']},'from':'1900-01-03','to':'2026-03-20'}",
           "{'day':'1900-01-03','owner':'u0','value':1},{'day':'2026-03-14','owner':'u0','value':1},"
           "{'day':'2026-03-15','owner':'u0','value':1}");
    ANSWER("{'metric':'open_deals','by':['year','owner'],'where':{'owner':['u0']}}", "{'year':'2026','owner':'u0','value':1}");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(counts_and_missing_values_last),
        CASE(ratios_of_money_between_two_bounds),
        CASE(several_metrics_at_once),
        CASE(units_are_cut_by_the_range),
        CASE(whole_months_are_read_as_months),
        CASE(money_by_currency),
        CASE(filters_have_no_row_measures_have),
        CASE(ratios_of_nothing_are_null),
        CASE(distributions),
        CASE(levels_on_past_days),
        CASE(list_growth_against_the_day_before),
        CASE(undated_levels_of_now),
        CASE(customers_per_whole_unit),
        CASE(users_per_day_week_month),
        CASE(lifetime_value_to_the_end_of_the_period),
        CASE(win_probability),
        CASE(forecasts_weigh_and_round_each_stage),
        CASE(custom_attributes),
        CASE(several_facts_share_dimensions),
        CASE(requests_that_are_refused),
        CASE(long_names_are_cut_at_a_letter),
        CASE(more_rows_than_there_is_room_for_are_refused),
        CASE(fewer_than_no_durations_have_no_percentile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
