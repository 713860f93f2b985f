/* The catalogue that settings ask for: the shipped file and those of the user beside it. */
#pragma once

#include "daemon/catalogue/catalogue.h"
#include "daemon/settings/settings.h"

/* Reads and loads them. NULL when anything is wrong: `problems` holds all of it, files that cannot be read among them. */
struct catalogue *catalogue_effective(const struct settings *settings, struct problems *problems) MUST_USE;

/* Adds a problem for each custom attribute of its metrics and reports that no tenant declares. */
void catalogue_check_customs(const struct catalogue *catalogue, const struct settings *settings, struct problems *problems);

/* Adds a problem for each tenant whose `fold_after` is too short for a report that shows days. */
void catalogue_check_folding(const struct catalogue *catalogue, const struct settings *settings, struct problems *problems);

/* As catalogue_effective, for a command: tells what is wrong on stderr. */
struct catalogue *command_catalogue(const char *command, const struct settings *settings) MUST_USE;
