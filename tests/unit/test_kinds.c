/* The tables of kinds, verbs and attributes against the contract's own rows. */
#include "tests/unit/intake.h"

/* As events.md has it: + opens (▲), ~ opens where nothing else did (△). */
static const struct {
    const char *kind, *verbs, *attributes;
} contract[N_KINDS] = {
    { "contact", "+created ~updated qualified subscribed unsubscribed merged deleted",
      "email phone name account referred_by tags into list" },
    { "account", "+created ~updated churned deleted", "name industry" },
    { "deal", "+created ~updated stage_changed proposal_sent won lost reopened deleted",
      "amount currency cost stage pipeline sale contact account expected_close loss_reason competitor" },
    { "call", "~scheduled +completed +missed cancelled deleted",
      "direction purpose deal case contact due duration_s wait_s callback cost currency" },
    { "meeting", "~scheduled +held cancelled deleted", "deal contact due duration_s" },
    { "email", "+sent ~delivered ~opened ~clicked ~replied ~bounced ~complained deleted", "contact deal case" },
    { "case", "+opened ~updated assigned responded resolved closed reopened rated deleted",
      "case_kind priority channel contact account response_due resolve_due score" },
    { "interaction", "+logged deleted", "case contact channel cost currency duration_s" },
    { "campaign", "+started ~updated ended deleted", "name channel budget cost currency" },
    { "response", "+received deleted", "contact channel" },
    { "visit", "+started ~page_viewed ~goal_completed ended deleted", "contact page goal" },
    { "goal", "+set removed", "metric target currency period pipeline" },
    { "user", "+created ~signed_in deactivated deleted", "name" },
};

/* The next word of a list; empty at its end. */
static struct span word(const char **list)
{
    *list += strspn(*list, " ");
    struct span word = { *list, strcspn(*list, " ") };
    *list += word.len;
    return word;
}

static enum opening take_mark(struct span *verb)
{
    char mark = verb->at[0];
    if (mark != '+' && mark != '~') return OPENS_NOT;
    *verb = (struct span){ verb->at + 1, verb->len - 1 };
    return mark == '+' ? OPENS : OPENS_ELSE;
}

static int check_verbs(enum kind kind)
{
    int n = 0;
    const char *list = contract[kind].verbs;
    for (struct span verb; (verb = word(&list)).len; n++) {
        enum opening opening = take_mark(&verb);
        const struct verb_row *row = verb_find(kind, verb);
        if (!row) fail_msg("%s: no %.*s", contract[kind].kind, SPAN_ARG(verb));
        assert_int_equal(row->opening, opening);
        assert_int_equal(verb_opening(kind, row->verb), opening);
    }
    return n;
}

static uint64_t attribute_bits(const char *list)
{
    uint64_t bits = 0;
    for (struct span name; (name = word(&list)).len;) {
        int attribute = attribute_find(name);
        if (attribute < 0) fail_msg("no %.*s", SPAN_ARG(name));
        bits |= UINT64_C(1) << attribute;
    }
    return bits;
}

static void test_rows_are_the_contracts(void **state)
{
    (void)state;
    for (int i = 0; i < N_KINDS; i++) {
        enum kind kind;
        assert_ptr_equal(kind_find(span_of(contract[i].kind), &kind), &kind_rows[i]);
        assert_int_equal(kind, i);
        assert_int_equal(check_verbs(kind), kind_rows[i].n_verbs);
        uint64_t want = attribute_bits(contract[i].attributes) | attribute_bits("owner team source campaign");
        if (kind_rows[i].attributes != want) fail_msg("%s: other attributes", contract[i].kind);
    }
}

static void test_attributes_by_name(void **state)
{
    (void)state;
    for (int i = 0; i < N_ATTRIBUTES; i++) assert_int_equal(attribute_find(span_of(attribute_rows[i].name)), i);
    static const struct span strangers[] = { SPAN(""),      SPAN("a"),      SPAN("ca"),       SPAN("case\0x"), SPAN("cases"),
                                             SPAN("Owner"), SPAN("owner "), SPAN("duration"), SPAN("\xFF\xFF") };
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) assert_int_equal(attribute_find(strangers[i]), -1);
}

static void test_references(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum kind kind;
    } references[] = { { "deal", KIND_DEAL },        { "contact", KIND_CONTACT }, { "account", KIND_ACCOUNT },
                       { "case", KIND_CASE },        { "into", KIND_CONTACT },    { "referred_by", KIND_CONTACT },
                       { "campaign", KIND_CAMPAIGN } };
    int n = 0;
    for (int i = 0; i < N_ATTRIBUTES; i++) {
        n += attribute_rows[i].type == TYPE_REFERENCE;
        assert_int_equal(reference_attributes >> i & 1, attribute_rows[i].type == TYPE_REFERENCE);
    }
    assert_int_equal(n, sizeof references / sizeof references[0]);
    for (int i = 0; i < n; i++)
        assert_int_equal(attribute_rows[attribute_find(span_of(references[i].name))].refers_to, references[i].kind);
}

static void test_unknown_names(void **state)
{
    (void)state;
    enum kind kind;
    assert_null(kind_find(SPAN(""), &kind));
    assert_null(kind_find(SPAN("deals"), &kind));
    assert_null(kind_find(SPAN("case\0"), &kind));
    assert_null(verb_find(KIND_DEAL, SPAN("")));
    assert_null(verb_find(KIND_DEAL, SPAN("wo")));
    assert_null(verb_find(KIND_DEAL, SPAN("won\0more")));
    assert_int_equal(verb_opening(KIND_DEAL, VERB_HELD), OPENS_NOT);
    assert_int_equal(verb_opening(KIND_ADDRESS, VERB_CREATED), OPENS_NOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_the_contracts),
        cmocka_unit_test(test_attributes_by_name),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_unknown_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
