/* A real broker for one test program, in a temporary folder on a free port; started and killed by broker.sh. */
#include "tests/kafka/broker.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    COMMAND_BYTES = 1024
};

bool broker_sh(const char *format, ...)
{
    char command[COMMAND_BYTES] = SOURCE_DIR "/tests/kafka/broker.sh ";
    size_t len = strlen(command);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command + len, sizeof command - len, format, arguments);
    va_end(arguments);
    return system(command) == 0;
}

static int free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, len) < 0 || getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        address.sin_port = 0;
    close(fd);
    return ntohs(address.sin_port);
}

bool broker_start(struct broker *broker)
{
    if (!broker->port) {
        strcpy(broker->folder, "/tmp/crm-broker.XXXXXX");
        broker->port = free_port();
        snprintf(broker->servers, sizeof broker->servers, "127.0.0.1:%d", broker->port);
        if (!mkdtemp(broker->folder) || !broker_sh("install")) return false;
    }
    return broker_sh("start %s %d", broker->folder, broker->port);
}

void broker_end(struct broker *broker)
{
    char command[COMMAND_BYTES];
    if (!broker->port) return;
    broker_sh("kill %s", broker->folder);
    snprintf(command, sizeof command, "rm -rf '%s'", broker->folder);
    if (system(command) != 0) fprintf(stderr, "%s cannot be removed\n", broker->folder);
}

int broker_pid(const struct broker *broker)
{
    char name[96];
    int pid = 0;
    snprintf(name, sizeof name, "%s/pid", broker->folder);
    FILE *file = fopen(name, "r");
    if (!file || fscanf(file, "%d", &pid) != 1) pid = 0;
    if (file) fclose(file);
    return pid;
}
