/* Reads the URL of a Redis. */
#include "daemon/state/address.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    STANDARD_PORT = 6379,
    STANDARD_SENTINEL_PORT = 26379
};

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
static bool parse_server(struct endpoint *endpoint, struct span server, int standard_port)
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
    endpoint->port = standard_port;
    if (port.at && (!whole_number(port, 65535, &endpoint->port) || endpoint->port == 0)) return false;
    return copy_plain(endpoint->host, sizeof endpoint->host, host);
}

static bool parse_who(struct address *address, struct span *rest)
{
    struct span who, user;
    if (!cut(rest, '@', true, &who)) return true;
    if (!cut(&who, ':', false, &user)) user = who, who = NO_SPAN;
    return copy_decoded(address->user, sizeof address->user, user) &&
           copy_decoded(address->password, sizeof address->password, who);
}

void address_lead(struct address *address, const char *host, int port)
{
    snprintf(address->host, sizeof address->host, "%s", host);
    address->port = port;
    if (address->kind == ADDRESS_CLUSTER)
        snprintf(address->where, sizeof address->where, "%s:%d", host, port);
    else if (address->kind == ADDRESS_SENTINELS)
        snprintf(address->where, sizeof address->where, "%s (%.80s:%d/%d)", address->master, host, port, address->database);
    else
        snprintf(address->where, sizeof address->where, "%s:%d/%d", host, port, address->database);
}

/* host[:port][/db] */
static bool parse_network(struct address *address, struct span rest)
{
    struct span server;
    struct endpoint endpoint;
    if (!parse_who(address, &rest)) return false;
    if (!cut(&rest, '/', false, &server)) server = rest, rest = NO_SPAN;
    if (rest.len && !whole_number(rest, 9999, &address->database)) return false;
    if (!parse_server(&endpoint, server, STANDARD_PORT)) return false;
    address_lead(address, endpoint.host, endpoint.port);
    return true;
}

/* host[:port],host[:port],… */
static bool parse_seeds(struct address *address, struct span servers, int standard_port)
{
    struct span server;
    bool more = true;
    while (more) {
        more = cut(&servers, ',', false, &server);
        if (address->n_seeds == ADDRESS_SEEDS_MAX) return false;
        if (!parse_server(&address->seeds[address->n_seeds++], more ? server : servers, standard_port)) return false;
    }
    return true;
}

/* host[:port],…/master[/db] */
static bool parse_sentinels(struct address *address, struct span rest)
{
    struct span servers, master;
    address->kind = ADDRESS_SENTINELS;
    if (!parse_who(address, &rest) || !cut(&rest, '/', false, &servers)) return false;
    if (!cut(&rest, '/', false, &master)) master = rest, rest = NO_SPAN;
    if (rest.len && !whole_number(rest, 9999, &address->database)) return false;
    if (!copy_plain(address->master, sizeof address->master, master)) return false;
    snprintf(address->where, sizeof address->where, "%s", address->master);
    return parse_seeds(address, servers, STANDARD_SENTINEL_PORT);
}

/* host[:port],…[/0] */
static bool parse_cluster(struct address *address, struct span rest)
{
    struct span servers;
    address->kind = ADDRESS_CLUSTER;
    if (!parse_who(address, &rest)) return false;
    if (!cut(&rest, '/', false, &servers)) servers = rest, rest = NO_SPAN;
    if (rest.len && !span_equal(rest, SPAN("0"))) return false;
    if (!parse_seeds(address, servers, STANDARD_PORT)) return false;
    snprintf(address->where, sizeof address->where, "cluster of %s:%d", address->seeds[0].host, address->seeds[0].port);
    return true;
}

static bool parse_unix(struct address *address, struct span path)
{
    address->is_unix = true;
    if (!path.len || path.at[0] != '/' || !copy_plain(address->host, sizeof address->host, path)) return false;
    snprintf(address->where, sizeof address->where, "%s", address->host);
    return true;
}

static const struct form {
    const char *scheme;
    bool (*parse)(struct address *, struct span rest);
    bool is_tls;
} forms[] = {
    { "unix://", parse_unix, false },
    { "redis://", parse_network, false },
    { "rediss://", parse_network, true },
    { "redis-sentinel://", parse_sentinels, false },
    { "rediss-sentinel://", parse_sentinels, true },
    { "redis-cluster://", parse_cluster, false },
    { "rediss-cluster://", parse_cluster, true },
};

bool address_parse(struct address *address, struct span url, struct error *error)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct span scheme = span_of(forms[i].scheme);
        *address = (struct address){ .is_tls = forms[i].is_tls };
        if (starts(url, scheme) && forms[i].parse(address, after(url, scheme.len))) return true;
    }
    return fail(error, "redis.url is not of the form redis://[user:password@]host[:port][/database], rediss://…, unix:///path, "
                       "redis-sentinel://host[:port],…/master-name[/database] or redis-cluster://host[:port],…");
}
