/* Records from files for replay: one structured CloudEvent per line. */
#include "daemon/source/files.h"

#include "common/buffer.h"
#include "daemon/source/owned.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    READ_BYTES = 1 << 20,
    TROUBLE_BYTES = 400
};

struct file {
    const char *name;
    int fd;
};

struct files_source {
    struct source source;
    struct owned owned;
    struct file *files;
    size_t n, now; /* now: the one being read */
    int64_t timestamp_us;
    size_t line_max;
    struct buffer text;        /* read and not yet forgotten: whole lines that were delivered, then the rest */
    size_t at;                 /* in text: the next line */
    int64_t line;              /* its number */
    bool end_of_file, cutting; /* cutting: the rest of a line that is too long is passed over */
    bool told_end, unreleased;
    char trouble[TROUBLE_BYTES];
};

static struct files_source *of(struct source *source)
{
    return (struct files_source *)source;
}

static struct position *position_now(struct files_source *files)
{
    return &files->owned.positions[files->now];
}

static void next_file(struct files_source *files)
{
    struct file *file = &files->files[files->now++];
    if (file->fd > 0) close(file->fd);
    file->fd = -1;
    buffer_clear(&files->text);
    files->at = 0;
    files->line = 1;
    files->end_of_file = files->cutting = false;
}

/* Moves what is left to the front and reads on. Only between batches. */
static void read_on(struct files_source *files)
{
    struct buffer *text = &files->text;
    if (text->len > files->at) memmove(text->at, text->at + files->at, text->len - files->at);
    text->len -= files->at;
    files->at = 0;
    buffer_reserve(text, READ_BYTES);
    const struct file *file = &files->files[files->now];
    ssize_t n;
    do n = read(file->fd, text->at + text->len, READ_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0) snprintf(files->trouble, sizeof files->trouble, "%s: %s", file->name, strerror(errno));
    if (n > 0)
        text->len += (size_t)n;
    else
        files->end_of_file = true;
}

/* The next line of what has been read; false: more must be read first, or the file ends. The end of a file ends its last
 * line, too; a line over line_max is handed out cut as soon as that much is there. */
static bool next_line(struct files_source *files, struct span *line)
{
    while (files->at < files->text.len) {
        const char *begin = files->text.at + files->at;
        size_t there = files->text.len - files->at;
        const char *newline = memchr(begin, '\n', there);
        if (!newline && !files->end_of_file && !files->cutting && there <= files->line_max) return false;
        size_t len = newline ? (size_t)(newline - begin) : there;
        bool cut = files->cutting;
        files->at += newline ? len + 1 : len;
        files->cutting = !newline && !files->end_of_file;
        if (!files->cutting && len > 0 && begin[len - 1] == '\r') len--;
        *line = (struct span){ begin, len < files->line_max ? len : files->line_max };
        if (!cut) return true;
        if (newline) files->line++;
    }
    return false;
}

static void deliver(struct files_source *files, struct span line, struct record *records, size_t *n)
{
    struct position *position = position_now(files);
    int64_t number = files->line;
    if (!files->cutting) files->line++;
    if (line.len == 0 || number < position->next) return;
    records[(*n)++] = (struct record){
        .value = line,
        .timestamp_us = files->timestamp_us,
        .topic = position->partition.topic,
        .partition = position->partition.number,
        .offset = number,
    };
    position->next = number + 1;
}

/* Lines of one file only, as far as it has been read: records point into the text. */
static size_t take_lines(struct files_source *files, struct record *records, size_t room)
{
    size_t n = 0;
    struct span line;
    while (n < room && next_line(files, &line)) deliver(files, line, records, &n);
    return n;
}

static size_t files_receive(struct source *source, struct record *records, size_t room, int timeout_ms)
{
    struct files_source *files = of(source);
    (void)timeout_ms;
    if (owned_has_change(&files->owned)) return 0;
    while (files->now < files->n) {
        if (position_now(files)->next == NO_OFFSET) return 0;
        size_t n = take_lines(files, records, room);
        if (n > 0) files->unreleased = true;
        if (n > 0 || files->unreleased) return n;
        if (files->end_of_file && files->at == files->text.len)
            next_file(files);
        else
            read_on(files);
    }
    if (!files->told_end) owned_change_one(&files->owned, CHANGE_ENDED, NULL);
    files->told_end = true;
    return 0;
}

static void files_release(struct source *source)
{
    of(source)->unreleased = false;
}

static void files_idle(struct source *source, int timeout_ms)
{
    if (!owned_has_change(&of(source)->owned)) usleep((useconds_t)timeout_ms * 1000);
}

static bool files_next_change(struct source *source, struct change *change)
{
    return owned_next_change(&of(source)->owned, change);
}

static void files_confirm(struct source *source)
{
    (void)source;
}

/* Files are read once, forwards: an offset behind the line that comes next is where to go on, one before it changes nothing. */
static void files_start(struct source *source, struct partition partition, int64_t offset)
{
    struct position *position = owned_find(&of(source)->owned, partition.topic, partition.number);
    if (position && offset > position->next) position->next = offset;
}

static bool files_view(struct source *source, struct partition_view *views, size_t n, int timeout_ms, struct error *error)
{
    (void)source;
    (void)timeout_ms;
    (void)error;
    for (size_t i = 0; i < n; i++) {
        views[i].committed = NO_OFFSET;
        views[i].low = 1;
        views[i].high = INT64_MAX;
        views[i].found = false;
        views[i].timestamp_us = NO_INSTANT;
    }
    return true;
}

static void files_commit(struct source *source, const struct position *positions, size_t n)
{
    (void)source;
    (void)positions;
    (void)n;
}

static size_t files_positions(struct source *source, struct position *positions, size_t room)
{
    return owned_positions(&of(source)->owned, positions, room);
}

static const char *files_trouble(struct source *source)
{
    return of(source)->trouble[0] ? of(source)->trouble : NULL;
}

static void files_destroy(struct source *source)
{
    struct files_source *files = of(source);
    for (size_t i = 0; i < files->n; i++)
        if (files->files[i].fd > 0) close(files->files[i].fd);
    owned_deinit(&files->owned);
    buffer_deinit(&files->text);
    free(files->files);
    free(files);
}

static const struct source_ops ops = {
    .receive = files_receive,
    .release = files_release,
    .idle = files_idle,
    .next_change = files_next_change,
    .confirm = files_confirm,
    .start = files_start,
    .view = files_view,
    .commit = files_commit,
    .positions = files_positions,
    .trouble = files_trouble,
    .destroy = files_destroy,
};

static bool open_file(struct file *file, const char *name, struct error *error)
{
    file->name = name;
    file->fd = strcmp(name, "-") == 0 ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    return file->fd >= 0 || fail(error, "%s: %s", name, strerror(errno));
}

struct source *files_source_create(const char *const *names, size_t n, int64_t timestamp_us, size_t line_max, struct error *error)
{
    struct files_source *files = must_zalloc(sizeof *files);
    files->source.ops = &ops;
    files->files = must_zalloc((n ? n : 1) * sizeof *files->files);
    files->timestamp_us = timestamp_us;
    files->line_max = line_max;
    files->line = 1;
    for (files->n = 0; files->n < n; files->n++) {
        if (!open_file(&files->files[files->n], names[files->n], error)) {
            files_destroy(&files->source);
            return NULL;
        }
        owned_add(&files->owned, SPAN("file"), (int32_t)files->n);
    }
    owned_change_all(&files->owned, CHANGE_ASSIGNED);
    return &files->source;
}
