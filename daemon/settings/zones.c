#include "daemon/settings/zones.h"

#include "common/buffer.h"
#include "common/siphash.h"
#include "common/suggest.h"
#include "daemon/settings/zone_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FILE_BYTES_MAX = 1 << 20,
    PATH_BYTES = 512
};

/* Where the files are; glibc's own rule. */
static const char *folder(void)
{
    const char *set = getenv("TZDIR");
    return set && *set ? set : "/usr/share/zoneinfo";
}

/* "Europe/Berlin", "Etc/GMT+5": never out of the folder, and none of its other files ("posix/…", "right/…", "zone.tab"). */
static bool well_formed(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    size_t len = strlen(name);
    return len < sizeof((struct zone *)NULL)->name && name[0] >= 'A' && name[0] <= 'Z' && strspn(name, letters) == len;
}

static bool read_file(const char *name, struct buffer *bytes, struct error *error)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder(), name);
    FILE *file = fopen(path, "re");
    if (!file) return fail(error, "%s: %s", path, strerror(errno));
    buffer_reserve(bytes, FILE_BYTES_MAX);
    bytes->len = fread(bytes->at, 1, FILE_BYTES_MAX, file);
    bool read = !ferror(file) && feof(file);
    fclose(file);
    return read || fail(error, "%s: cannot be read as a file of at most %d bytes", path, FILE_BYTES_MAX);
}

/* "DE\t+5230+01322\tEurope/Berlin\tmost of Germany": the third column is a name. */
static void suggest_line(struct suggestion *nearest, char *line)
{
    char *rest = line, *column = NULL;
    if (*line == '#') return;
    for (int i = 0; i < 3 && rest; i++) column = strsep(&rest, "\t");
    suggest(nearest, column);
}

static bool fail_unknown(const char *name, const char *why, struct error *error)
{
    struct buffer table = { 0 };
    struct error ignored = { 0 };
    struct suggestion nearest = { .name = span_of(name) };
    if (read_file("zone.tab", &table, &ignored)) {
        buffer_byte(&table, 0);
        for (char *rest = table.at; rest;) suggest_line(&nearest, strsep(&rest, "\n"));
    }
    if (nearest.best)
        (void)fail(error, "unknown time zone \"%s\", did you mean \"%s\"?", name, nearest.best);
    else
        (void)fail(error, "unknown time zone \"%s\", expected one like \"Europe/Berlin\" (%s)", name, why);
    buffer_deinit(&table);
    return false;
}

static bool load(struct zone *zone, struct error *error)
{
    struct buffer bytes = { 0 };
    struct error cause = { 0 };
    bool known = read_file(zone->name, &bytes, &cause);
    bool parsed = known && zone_file_parse(buffer_all(&bytes), zone, &cause);
    buffer_deinit(&bytes);
    if (parsed) return true;
    if (known) return fail(error, "time zone \"%s\": its file in %s %s", zone->name, folder(), cause.text);
    if (strcmp(zone->name, "UTC") != 0) return fail_unknown(zone->name, cause.text, error);
    zone->steps = must_zalloc(sizeof *zone->steps);
    zone->steps[0].from_us = INT64_MIN;
    zone->n_steps = 1;
    return true;
}

/* The same on every machine: it is compared with what a tenant was counted by. */
static uint64_t fingerprint(const struct zone *zone)
{
    struct buffer bytes = { 0 };
    buffer_text(&bytes, span_of(zone->name));
    for (size_t i = 0; i < zone->n_steps; i++) {
        buffer_zigzag(&bytes, zone->steps[i].from_us);
        buffer_zigzag(&bytes, zone->steps[i].offset_s);
    }
    uint64_t hash = siphash((struct hash_key){ 0, 0 }, buffer_all(&bytes));
    buffer_deinit(&bytes);
    return hash;
}

const struct zone *zones_get(struct zones *zones, const char *name, struct error *error)
{
    struct zone *zone = map_get(&zones->by_name, span_of(name));
    if (zone) return zone;
    if (!well_formed(name)) {
        (void)fail_unknown(name, "letters, digits, _ + - and /", error);
        return NULL;
    }
    zone = must_zalloc(sizeof *zone);
    strcpy(zone->name, name);
    if (!load(zone, error)) {
        free(zone);
        return NULL;
    }
    zone->fingerprint = fingerprint(zone);
    map_put(&zones->by_name, span_of(zone->name), zone);
    return zone;
}

void zones_deinit(struct zones *zones)
{
    size_t at = 0;
    struct map_slot *slot;
    while ((slot = map_next(&zones->by_name, &at))) {
        struct zone *zone = slot->value;
        free(zone->steps);
        free(zone);
    }
    map_deinit(&zones->by_name);
    *zones = (struct zones){ 0 };
}
