/* Which kinds of entities the facts of a catalogue are made from: events of any other kind are checked and counted as read,
 * but neither stored nor folded. */
#pragma once

#include "daemon/facts/kept.h"

/* Fills kept->kind from kept->fact. */
void kept_kinds(struct kept *kept);
