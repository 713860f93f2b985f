/* Threshold rules: what is watched, and from where on it is an alert. Read from the settings, checked against the catalogue;
 * read-only from then on. */
#pragma once

#include "daemon/report/watch.h"
#include "daemon/settings/settings.h"

enum alert_test {
    ALERT_ABOVE,        /* the value is more than the limit */
    ALERT_BELOW,        /* less */
    ALERT_CHANGE_ABOVE, /* (value - value of the period before) / |that one| is more than the limit; 0.2: by a fifth */
    ALERT_CHANGE_BELOW, /* less; -0.2: fallen by more than a fifth */
    N_ALERT_TESTS
};
extern const char *const alert_test_names[]; /* "above" …, NULL at the end */

static inline bool alert_test_is_change(enum alert_test test)
{
    return test == ALERT_CHANGE_ABOVE || test == ALERT_CHANGE_BELOW;
}
static inline bool alert_test_is_above(enum alert_test test)
{
    return test == ALERT_ABOVE || test == ALERT_CHANGE_ABOVE;
}

/* Where each event of the rule is posted to, besides the topic. */
struct alert_webhook {
    const char *url;
    const char *secret; /* the first line of its file: signs each post; never shown */
    int64_t timeout_ms; /* of one attempt */
    int64_t attempts;   /* at most */
};

struct alert_rule {
    const char *name;        /* 1 to 64 of A-Z a-z 0-9 . _ - */
    const char *description; /* may be NULL */
    const char *tenant;      /* NULL: all of them, each by itself */
    struct watch watch;
    const char *currency; /* of money and what is counted per currency; NULL: the tenant's own */
    enum alert_test test;
    struct rational limit; /* in the metric's unit, money in whole currency; of a change: a share */
    struct rational clear; /* back to (or beyond) here it is over; without hysteresis the limit */
    int64_t for_us;        /* how long it has to be so before it is an alert */
    const char *condition; /* as it stands in events: `"where":{"owner":["u1"]},"above":0.5,"clear":0.4,"for":"10m"` */
    const struct alert_webhook *webhook; /* NULL: none */
};

struct alert_rules {
    struct arena arena;
    struct alert_rule *at;
    size_t n;
};

/* Reads settings->alerts. NULL when anything is wrong: `wrong` then holds all of it. `advice` (may be NULL): rules that work and
 * yet can never fire, never clear, or always fire. The rules need the catalogue, not the settings, to stay. Without a catalogue
 * (NULL: it is wrong itself) what is wrong whatever it holds is told, and there are no rules. */
struct alert_rules *alert_rules_read(const struct settings *settings, const struct catalogue *catalogue, struct problems *wrong,
                                     struct problems *advice) MUST_USE;
void alert_rules_destroy(struct alert_rules *rules); /* NULL is fine */

/* Is it a rule of this tenant? */
bool alert_rule_applies(const struct alert_rule *rule, struct span tenant);

/* bounds.c: between what a metric's values lie, by its formula. Null where there is no such bound (or none that is known). */
struct bounds {
    struct rational low, high;
};
struct bounds metric_bounds(const struct metric *metric);

/* sense.c: what makes no sense although it is well-formed. `where`: the rule's place in the settings. */
void alert_rule_advise(const struct alert_rule *rule, const struct settings *settings, const char *where,
                       struct problems *advice);
