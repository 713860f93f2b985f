/* The parts of a formula, each with what stands behind it. */
#pragma once

#include "daemon/explain/lister.h"

/* Appends the fields of an object, without braces: "entities":[…],"total":… of what only adds up; "numerator":{…},
 * "denominator":{…},"total":… and so on of what does not. */
void parts_write(const struct lister *listing, struct buffer *out);
