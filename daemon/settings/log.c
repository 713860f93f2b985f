#include "daemon/settings/log.h"

#include "common/buffer.h"
#include "common/error.h"
#include "common/instant.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *const log_level_names[N_LOG_LEVELS + 1] = { "error", "warning", "info", "debug", NULL };
const char *const log_format_names[N_LOG_FORMATS + 1] = { "text", "json", NULL };

static atomic_int wanted_level = LEVEL_INFO;
static atomic_int wanted_format = LOG_TEXT;
static atomic_int descriptor_out = STDERR_FILENO;

void log_setup(enum log_level level, enum log_format format)
{
    atomic_store(&wanted_level, (int)level);
    atomic_store(&wanted_format, (int)format);
}

void log_to(int descriptor)
{
    atomic_store(&descriptor_out, descriptor);
}
bool log_wants(enum log_level level)
{
    return (int)level <= atomic_load(&wanted_level);
}

static bool is_plain(unsigned char byte)
{
    return byte > ' ' && byte != '"' && byte != '\\' && byte != '=' && byte != 0x7f;
}

static bool all_plain(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_plain((unsigned char)text.at[i])) return false;
    return text.len > 0;
}

/* As in JSON, which is also how the text form quotes. */
static void put_quoted(struct buffer *out, struct span text)
{
    buffer_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte == '"' || byte == '\\') buffer_byte(out, '\\');
        if (byte < ' ' || byte == 0x7f)
            buffer_printf(out, "\\u%04x", byte);
        else
            buffer_byte(out, byte);
    }
    buffer_byte(out, '"');
}

static void put_pair(struct buffer *out, bool json, struct span key, struct span value)
{
    if (json) {
        buffer_str(out, ",");
        put_quoted(out, key);
        buffer_str(out, ":");
        put_quoted(out, value);
        return;
    }
    buffer_str(out, " ");
    buffer_span(out, key);
    buffer_str(out, "=");
    if (all_plain(value))
        buffer_span(out, value);
    else
        put_quoted(out, value);
}

/* The integer of a conversion by its length modifier ("", "l", "ll", "j", "z"). */
static intmax_t next_integer(va_list *args, const char *length, bool is_signed)
{
    if (length[0] == 'l' && length[1] == 'l')
        return is_signed ? va_arg(*args, long long) : (intmax_t)va_arg(*args, unsigned long long);
    if (length[0] == 'l' || length[0] == 'z' || length[0] == 'j')
        return is_signed ? va_arg(*args, long) : (intmax_t)va_arg(*args, unsigned long);
    return is_signed ? va_arg(*args, int) : (intmax_t)va_arg(*args, unsigned int);
}

static void put_text(struct buffer *out, va_list *args, bool has_length)
{
    int len = has_length ? va_arg(*args, int) : -1;
    const char *text = va_arg(*args, const char *);
    if (!text) text = has_length ? "" : "(none)";
    buffer_put(out, text, len >= 0 ? (size_t)len : strlen(text));
}

/* One conversion from behind its "%"; returns what follows it. */
static const char *put_conversion(struct buffer *out, const char *at, va_list *args)
{
    size_t flags = strspn(at, "0123456789.*");
    const char *length = at + flags;
    const char *type = length + strspn(length, "lzj");
    switch (*type) {
    case 'd':
    case 'i':
        buffer_printf(out, "%jd", next_integer(args, length, true));
        break;
    case 'u':
        buffer_printf(out, "%ju", (uintmax_t)next_integer(args, length, false));
        break;
    case 'x':
        buffer_printf(out, "%jx", (uintmax_t)next_integer(args, length, false));
        break;
    case 'c':
        buffer_byte(out, (uint8_t)va_arg(*args, int));
        break;
    case 's':
        put_text(out, args, memchr(at, '*', flags) != NULL);
        break;
    case 'f':
        buffer_printf(out, "%.3f", va_arg(*args, double));
        break;
    case 'g':
        buffer_printf(out, "%g", va_arg(*args, double));
        break;
    case '%':
        buffer_byte(out, '%');
        break;
    default:
        REQUIRE(!"a conversion that log_event knows");
    }
    return type + 1;
}

/* One "key=value" of the format; returns what follows it. */
static const char *put_piece(struct buffer *out, bool json, const char *at, va_list *args)
{
    struct span key = { at, strcspn(at, "=") };
    struct buffer value = { 0 };
    REQUIRE(at[key.len] == '=');
    for (at += key.len + 1; *at && *at != ' ';) {
        if (*at == '%')
            at = put_conversion(&value, at + 1, args);
        else
            buffer_byte(&value, (uint8_t)*at++);
    }
    put_pair(out, json, key, buffer_all(&value));
    buffer_deinit(&value);
    return at;
}

static void put_head(struct buffer *out, bool json, enum log_level level, const char *event)
{
    struct timespec now;
    char text[INSTANT_TEXT_BYTES];
    clock_gettime(CLOCK_REALTIME, &now);
    instant_format(now.tv_sec * MICROS_PER_SECOND + now.tv_nsec / 1000, text);
    if (json)
        buffer_printf(out, "{\"time\":\"%s\",\"level\":\"%s\"", text, log_level_names[level]);
    else
        buffer_printf(out, "%s %s", text, log_level_names[level]);
    put_pair(out, json, SPAN("event"), span_of(event));
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    if (!log_wants(level)) return;
    bool json = atomic_load(&wanted_format) == LOG_JSON;
    struct buffer line = { 0 };
    put_head(&line, json, level, event);
    va_list args;
    va_start(args, format);
    while (*format) {
        format = put_piece(&line, json, format, &args);
        format += *format == ' ';
    }
    va_end(args);
    buffer_str(&line, json ? "}\n" : "\n");
    /* One write per line keeps lines of several threads apart. A log that cannot be written is nobody's failure. */
    ssize_t written = write(atomic_load(&descriptor_out), line.at, line.len);
    (void)written;
    buffer_deinit(&line);
}

bool log_cause(struct log_cause *cause, enum log_level level, const char *event, const char *where, const char *text)
{
    cause->repeats++;
    if (!strncmp(cause->text, text, sizeof cause->text - 1)) return false;
    snprintf(cause->text, sizeof cause->text, "%s", text);
    if (where[0])
        log_event(level, event, "where=%s cause=%s", where, cause->text);
    else
        log_event(level, event, "cause=%s", cause->text);
    return true;
}

bool log_cause_over(struct log_cause *cause, const char *event, const char *where)
{
    if (!cause->text[0]) return false;
    if (where[0])
        log_event(LEVEL_INFO, event, "where=%s after=%lu", where, cause->repeats);
    else
        log_event(LEVEL_INFO, event, "after=%lu", cause->repeats);
    *cause = (struct log_cause){ 0 };
    return true;
}
