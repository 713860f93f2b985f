/* Writing an event, part by part, into a company's outbox. Texts are of the cast: nothing needs to be escaped. */
#pragma once

#include "daemon/demo/company.h"

/* A short text by value: `post_id('D', 1042).text` is "D-1042". */
struct short_text {
    char text[40];
};
struct short_text post_id(char letter, int number);
struct short_text post_price(const struct company *company, int64_t whole); /* "12,300 EUR" */

/* Begins an event with a number of its own. `type`: "deal.won". */
void post_begin(struct company *company, const char *type, const char *subject, int64_t at_us);
/* The same under a number that was given out before. */
void post_again(struct company *company, const char *type, const char *subject, int64_t at_us, long event_number);

void post_text(struct company *company, const char *name, const char *value); /* NULL: left out */
void post_number(struct company *company, const char *name, long value);
void post_flag(struct company *company, const char *name, bool value);
void post_money(struct company *company, const char *name, int64_t whole); /* and the currency */
void post_instant(struct company *company, const char *name, int64_t at_us);
void post_day(struct company *company, const char *name, int32_t day);

/* Says why it is of note, and what it should move. */
void post_mark(struct company *company, enum feed_mark mark, struct feed_spot spot);

/* Ends it, with its headline. */
void post_end(struct company *company, const char *format, ...) __attribute__((format(printf, 2, 3)));
