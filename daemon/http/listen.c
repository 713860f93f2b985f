/* The socket that listens. */
#include "daemon/http/inner.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 128
};

/* "[::1]:8380" -> "::1", "8380" */
static void split(const char *listen, char host[256], char port[8])
{
    const char *colon = strrchr(listen, ':');
    size_t len = (size_t)(colon - listen);
    bool bracket = listen[0] == '[';
    snprintf(host, 256, "%.*s", (int)(bracket ? len - 2 : len), listen + bracket);
    snprintf(port, 8, "%s", colon + 1);
}

static int bind_to(const struct addrinfo *info)
{
    int on = 1, fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (info->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int cause = errno;
    close(fd);
    errno = cause;
    return -1;
}

static void name_socket(int fd, const char *host, char where[HTTP_WHERE_BYTES])
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    char port[8] = "";
    getsockname(fd, (struct sockaddr *)&address, &len);
    getnameinfo((struct sockaddr *)&address, len, NULL, 0, port, sizeof port, NI_NUMERICSERV);
    snprintf(where, HTTP_WHERE_BYTES, strchr(host, ':') ? "http://[%s]:%s/" : "http://%s:%s/", host, port);
}

static int open_port(const char *host, const char *port, struct error *error)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    int wrong = getaddrinfo(host, port, &hints, &found);
    if (wrong) {
        fail(error, "listen %s: %s", host, gai_strerror(wrong));
        return -1;
    }
    int fd = bind_to(found);
    if (fd < 0) fail(error, "listen %s:%s: %s", host, port, strerror(errno));
    freeaddrinfo(found);
    return fd;
}

int listen_open(const char *listen, bool any_port, char where[HTTP_WHERE_BYTES], struct error *error)
{
    char host[256], port[8];
    split(listen, host, port);
    int fd = open_port(host, port, error);
    if (fd < 0 && any_port) {
        error->text[0] = '\0';
        fd = open_port(host, "0", error);
    }
    if (fd >= 0) name_socket(fd, host, where);
    return fd;
}
