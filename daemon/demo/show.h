/* The demo from its first event to its last: a loop that follows the reports and shows them, on a page or as lines. */
#pragma once

#include "daemon/demo/stage.h"

/* Until it is over: a signal, a key, the time. Blocks SIGINT, SIGTERM, SIGHUP and SIGWINCH; call show_signals before any thread
 * starts. False and error: something ended on its own. */
int show_signals(void); /* the descriptor that tells of them; -1: none to be had */
MUST_USE bool show_run(struct stage *stage, const struct demo_options *options, int signals, struct error *error);
