#include "daemon/settings/forms.h"

#include "daemon/state/address.h"

#include <ctype.h>

/* 1 to `longest` letters, digits and bytes of `more`. */
static bool is_word(struct span text, size_t longest, const char *more)
{
    if (text.len < 1 || text.len > longest) return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte >= 0x80 || (!isalnum(byte) && !(byte && strchr(more, byte)))) return false;
    }
    return true;
}

bool form_topic(struct span text)
{
    return is_word(text, 249, "._-") && !span_is(text, ".") && !span_is(text, "..");
}
bool form_prefix(struct span text)
{
    return is_word(text, 64, "._:-");
}
bool form_type_prefix(struct span text)
{
    return is_word(text, 64, "._-");
}
bool form_name(struct span text)
{
    return is_word(text, 64, "._-");
}

static bool starts(struct span text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.at, with, len) == 0;
}

static struct span from(struct span text, size_t at)
{
    return (struct span){ text.at + at, text.len - at };
}

static bool is_number(struct span text, long max)
{
    long number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || i > 8) return false;
        number = number * 10 + (text.at[i] - '0');
    }
    return text.len > 0 && number <= max;
}

/* Splits "host:port" or "[address]:port"; the port may be missing (then it is empty). */
static bool split_host(struct span text, struct span *host, struct span *port)
{
    const char *end = text.len && text.at[0] == '[' ? memchr(text.at, ']', text.len) : NULL;
    size_t search = end ? (size_t)(end - text.at) : 0;
    if (text.len && text.at[0] == '[' && !end) return false;
    const char *colon = text.len ? memchr(text.at + search, ':', text.len - search) : NULL;
    size_t len = colon ? (size_t)(colon - text.at) : text.len;
    *host = (struct span){ text.at, len };
    *port = colon ? from(text, len + 1) : NO_SPAN;
    return len > 0 && (!colon || is_number(*port, 65535)) && (!end || host->at + len == end + 1);
}

bool form_listen(struct span text)
{
    struct span host, port;
    return text.len == 0 || (split_host(text, &host, &port) && port.len > 0);
}

/* 127.x.y.z, written as numbers: "127.example.com" is somebody else's name. */
static bool is_loopback(struct span host)
{
    size_t dots = 0;
    for (size_t i = 0; i < host.len; i++) {
        if (host.at[i] == '.')
            dots++;
        else if (host.at[i] < '0' || host.at[i] > '9')
            return false;
    }
    return starts(host, "127.") && dots == 3;
}

bool listens_locally(struct span listen)
{
    struct span host, port;
    if (listen.len == 0) return true;
    if (!split_host(listen, &host, &port)) return false;
    return is_loopback(host) || span_is(host, "localhost") || span_is(host, "[::1]");
}

bool form_redis_url(struct span text)
{
    struct address address;
    struct error error = { "" };
    bool good = address_parse(&address, text, &error);
    explicit_bzero(&address, sizeof address);
    return good;
}
