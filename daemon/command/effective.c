#include "daemon/command/effective.h"

#include "common/buffer.h"

#include <errno.h>
#include <stdlib.h>

static bool read_file(const char *name, struct buffer *text, struct problems *problems)
{
    FILE *file = fopen(name, "re");
    char chunk[65536];
    size_t n = 0;
    while (file && (n = fread(chunk, 1, sizeof chunk, file))) buffer_put(text, chunk, n);
    bool ok = file && !ferror(file);
    if (!ok) problem_add(problems, "catalogue", "the file \"%s\" cannot be read: %s", name, strerror(errno));
    if (file) fclose(file);
    return ok;
}

struct catalogue *catalogue_effective(const struct settings *settings, struct problems *problems)
{
    size_t n = 0, before = problems->n;
    struct catalogue_file *files = must_zalloc((settings->catalogue.n + 1) * sizeof *files);
    struct buffer *texts = must_zalloc((settings->catalogue.n + 1) * sizeof *texts);
    files[n++] = catalogue_shipped();
    for (size_t i = 0; i < settings->catalogue.n; i++) {
        const char *name = settings->catalogue.at[i];
        if (read_file(name, &texts[i], problems)) files[n++] = (struct catalogue_file){ name, buffer_all(&texts[i]) };
    }
    /* Without those that cannot be read, which are told first: what is wrong in the others is no less wrong. */
    struct catalogue *catalogue = catalogue_load(files, n, problems);
    if (catalogue) catalogue_check_customs(catalogue, settings, problems);
    if (catalogue) catalogue_check_folding(catalogue, settings, problems);
    if (catalogue && problems->n > before) {
        catalogue_destroy(catalogue);
        catalogue = NULL;
    }
    for (size_t i = 0; i < settings->catalogue.n; i++) buffer_deinit(&texts[i]);
    free(texts);
    free(files);
    return catalogue;
}

struct catalogue *command_catalogue(const char *command, const struct settings *settings)
{
    struct problems problems = { 0 };
    struct catalogue *catalogue = catalogue_effective(settings, &problems);
    if (!catalogue) {
        fprintf(stderr, "crm-reportd %s: the catalogue is wrong (%zu):\n", command, problems.n);
        problems_print(&problems, "  ", stderr);
    }
    problems_deinit(&problems);
    return catalogue;
}
