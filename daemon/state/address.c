/* Reads the URL of a Redis. */
#include "daemon/state/address.h"

#include <stdio.h>
#include <stdlib.h>

static bool starts(struct span text, struct span with)
{
    return text.len >= with.len && memcmp(text.at, with.at, with.len) == 0;
}

static struct span after(struct span text, size_t n)
{
    return (struct span){ text.at + n, text.len - n };
}

/* Cuts `text` at the first such character (the last one: `last`); what stands in front goes to `head`. */
static bool cut(struct span *text, char at, bool last, struct span *head)
{
    const char *found = !text->len ? NULL : last ? memrchr(text->at, at, text->len) : memchr(text->at, at, text->len);
    if (!found) return false;
    *head = (struct span){ text->at, (size_t)(found - text->at) };
    *text = after(*text, head->len + 1);
    return true;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static bool copy_decoded(char *to, size_t room, struct span text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '%' && i + 2 < text.len && hex(text.at[i + 1]) >= 0 && hex(text.at[i + 2]) >= 0) {
            c = (char)(hex(text.at[i + 1]) * 16 + hex(text.at[i + 2]));
            i += 2;
        }
        if (n + 1 >= room || !c) return false;
        to[n++] = c;
    }
    to[n] = 0;
    return true;
}

static bool copy_plain(char *to, size_t room, struct span text)
{
    if (!text.len || text.len >= room || memchr(text.at, 0, text.len)) return false;
    memcpy(to, text.at, text.len);
    to[text.len] = 0;
    return true;
}

static bool whole_number(struct span text, int max, int *number)
{
    int64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || value > max) return false;
        value = value * 10 + text.at[i] - '0';
    }
    *number = (int)value;
    return text.len && value <= max;
}

/* "host", "host:port", "[::1]:port" */
static bool parse_server(struct address *address, struct span server)
{
    struct span host = server, port = NO_SPAN;
    if (starts(server, SPAN("["))) {
        if (!cut(&server, ']', false, &host)) return false;
        host = after(host, 1);
        if (server.len && server.at[0] != ':') return false;
        if (server.len) port = after(server, 1);
    } else if (cut(&server, ':', false, &host)) {
        port = server;
    }
    address->port = 6379;
    if (port.at && (!whole_number(port, 65535, &address->port) || address->port == 0)) return false;
    return copy_plain(address->host, sizeof address->host, host);
}

static bool parse_network(struct address *address, struct span rest)
{
    struct span who, user, server;
    if (cut(&rest, '@', true, &who)) {
        if (!cut(&who, ':', false, &user)) user = who, who = NO_SPAN;
        if (!copy_decoded(address->user, sizeof address->user, user)) return false;
        if (!copy_decoded(address->password, sizeof address->password, who)) return false;
    }
    if (!cut(&rest, '/', false, &server)) server = rest, rest = NO_SPAN;
    if (rest.len && !whole_number(rest, 9999, &address->database)) return false;
    if (!parse_server(address, server)) return false;
    snprintf(address->where, sizeof address->where, "%s:%d/%d", address->host, address->port, address->database);
    return true;
}

static bool parse_unix(struct address *address, struct span path)
{
    address->is_unix = true;
    if (!path.len || path.at[0] != '/' || !copy_plain(address->host, sizeof address->host, path)) return false;
    snprintf(address->where, sizeof address->where, "%s", address->host);
    return true;
}

bool address_parse(struct address *address, struct span url, struct error *error)
{
    *address = (struct address){ 0 };
    bool good = false;
    if (starts(url, SPAN("unix://"))) {
        good = parse_unix(address, after(url, 7));
    } else if (starts(url, SPAN("redis://"))) {
        good = parse_network(address, after(url, 8));
    } else if (starts(url, SPAN("rediss://"))) {
        address->is_tls = true;
        good = parse_network(address, after(url, 9));
    }
    return good || fail(error, "redis.url is not of the form redis://[user:password@]host[:port][/database], rediss://… or "
                               "unix:///path");
}
