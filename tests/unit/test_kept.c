/* What of the facts a tenant has kept, from when on: sets, and how they stand in its state. */
#include "daemon/tenant/generations.h"
#include "tests/unit/unit.h"

static const struct rules two_customs = { .kind[KIND_DEAL] = { .custom = { "area", "region" }, .n_custom = 2 } };

static struct kept kept_from(const char *text)
{
    struct kept kept;
    struct span undeclared = NO_SPAN;
    if (!kept_read(span_of(text), &two_customs, &kept, &undeclared) || undeclared.len) fail_msg("%s", text);
    return kept;
}

static void assert_kept(const struct kept *kept, const char *wanted)
{
    struct buffer text = { 0 };
    kept_write(kept, &two_customs, &text);
    buffer_byte(&text, 0);
    assert_string_equal(text.at, wanted);
    buffer_deinit(&text);
}

static void sets_of_what_is_kept(void **unused)
{
    (void)unused;
    const char *few = "lists=1 lead=1.3 deal_won=3.1.c custom.deal=area", *other = "lists=3 lead=1.5 call=1.0 custom.deal=region";
    struct kept one = kept_from(few), both = one, common = one, two = kept_from(other);
    assert_kept(&one, few);
    assert_true(one.kind[KIND_DEAL] && one.kind[KIND_CONTACT] && !one.kind[KIND_CASE]);
    kept_join(&both, &two);
    assert_kept(&both, "lists=3 lead=1.7 deal_won=3.1.c call=1.0 custom.deal=area,region");
    kept_meet(&common, &two);
    assert_kept(&common, "lists=1 lead=1.1");
    assert_false(common.kind[KIND_DEAL]);
    assert_true(kept_covers(&both, &one) && kept_covers(&both, &two) && kept_covers(&one, &common));
    assert_false(kept_covers(&one, &both) || kept_covers(&one, &two) || kept_covers(&common, &one));

    struct buffer added = { 0 };
    kept_write_added(&one, &both, &two_customs, SIZE_MAX, &added);
    assert_true(span_is(buffer_all(&added), "custom.deal.region, call, lead (by source), list unlisted_values"));
    buffer_clear(&added);
    kept_write_added(&one, &both, &two_customs, 25, &added);
    assert_true(span_is(buffer_all(&added), "custom.deal.region, call and 2 more"));
    buffer_deinit(&added);
}

static void what_is_no_kept_is_refused(void **unused)
{
    (void)unused;
    static const char *const bad[] = { "lists=",
                                       "lists=1 lead",
                                       "lists=1 lead=",
                                       "lists=1 lead=1",
                                       "lists=1 lead=1.",
                                       "nothing=1.1",
                                       "lists=1 lead=1.1.d",
                                       "custom.house=area",
                                       " ",
                                       "lists=1  lead=1.1" };
    struct kept kept;
    struct span undeclared = NO_SPAN;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (kept_read(span_of(bad[i]), &two_customs, &kept, &undeclared)) fail_msg("taken: %s", bad[i]);
    assert_true(kept_read(SPAN("lists=0 custom.deal=region,size"), &two_customs, &kept, &undeclared));
    assert_true(span_is(undeclared, "size"));
    assert_int_equal(kept.customs[KIND_DEAL], 2);
}

static void generations_come_back_as_they_were(void **unused)
{
    (void)unused;
    struct zone_step step = { INT64_MIN, 3600 };
    const struct zone zone = { .name = "Here", .steps = &step, .n_steps = 1, .fingerprint = 7 };
    struct rules rules = two_customs;
    rules.zone = &zone;
    struct generations made = { 0 }, read = { 0 };
    struct kept one = kept_from("lists=0 lead=1.1"), two = kept_from("lists=0 call=1.0");
    struct span undeclared = NO_SPAN;
    struct buffer text[2] = { 0 };
    generations_cover(&made, &one, &rules);
    generations_cover(&made, &one, &rules); /* nothing new */
    generations_cover(&made, &two, &rules);
    assert_int_equal(made.n, 2);
    for (int i = 0; i < 2; i++) made.at[i].since = day("2026-03-31"), generation_write(&made.at[i], &text[i]);
    assert_true(span_is(buffer_all(&text[1]), "2026-03-31 zone=0000000000000007 lists=0 lead=1.1 call=1.0"));
    generations_read(&read, SPAN("1"), buffer_all(&text[1]), &rules, &undeclared);
    assert_false(generations_settle(&read, &rules)); /* the first is missing */
    generations_read(&read, SPAN("0"), buffer_all(&text[0]), &rules, &undeclared);
    assert_true(generations_settle(&read, &rules));
    struct kept common = generations_common(&read);
    assert_kept(&common, "lists=0 lead=1.1");
    rules.zone = &(const struct zone){ .name = "Here", .steps = &step, .n_steps = 1, .fingerprint = 8 };
    assert_false(generations_settle(&read, &rules)); /* of whose time zone nothing is known */
    generations_read_zone(&read, SPAN("0000000000000007"), SPAN("\x02\x00\x00"), &rules);
    assert_true(generations_settle(&read, &rules));
    assert_int_equal(read.at[0].rules->zone->steps[0].offset_s, 0);
    generations_cover(&read, &one, &rules);
    assert_int_equal(read.n, 3);
    assert_false(generations_share_zone(&read));
    for (int i = 0; i < 2; i++) buffer_deinit(&text[i]);
    generations_deinit(&made);
    generations_deinit(&read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_of_what_is_kept),
        cmocka_unit_test(what_is_no_kept_is_refused),
        cmocka_unit_test(generations_come_back_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
