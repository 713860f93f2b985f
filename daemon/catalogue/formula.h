/* Parses the formula of a metric (its grammar is in metric.h) and says what is wrong with it. */
#pragma once

#include "daemon/catalogue/catalogue.h"

/* Fills root, shape, atoms and all that follows from them. False, with one problem: not a formula, or one that makes no
 * sense ("cannot add money and a count"). Metrics it is made of are parsed along, their own problems left to them. */
bool formula_parse(struct metric *metric, const struct catalogue *catalogue, struct arena *arena, struct problems *problems);

/* To be asked of all metrics once all are parsed: is what it weighs by fit for that? */
bool formula_check_weights(const struct metric *metric, struct problems *problems);
