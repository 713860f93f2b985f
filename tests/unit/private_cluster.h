/* A Redis Cluster of the test's own: two primaries with half of the slots each, on ports of 127.0.0.1, gone with the test. */
#pragma once

#include "tests/unit/private_redis.h"

#include <arpa/inet.h>
#include <sys/socket.h>

struct private_cluster {
    struct private_redis nodes[2];
    int ports[2];
    char url[80];
};

static inline bool private_cluster_port_is_free(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool is_free = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return is_free;
}

/* One whose bus, 10,000 above, is free, too; both below those that the system gives to whoever connects. */
static inline int private_cluster_port(void)
{
    int port;
    do port = 10000 + (int)((unsigned)getpid() * 7919U + (unsigned)rand()) % 10000;
    while (!private_cluster_port_is_free(port) || !private_cluster_port_is_free(port + 10000));
    return port;
}

static inline void private_cluster_create(struct private_cluster *cluster)
{
    static const char *const slots[] = { "0 8191", "8192 16383" };
    char text[200];
    for (int i = 0; i < 2; i++) {
        cluster->ports[i] = private_cluster_port();
        snprintf(text, sizeof text, "port %d\ncluster-enabled yes\ncluster-node-timeout 5000", cluster->ports[i]);
        private_redis_create(&cluster->nodes[i], text);
        snprintf(text, sizeof text, "CLUSTER ADDSLOTSRANGE %s", slots[i]);
        private_redis_do(&cluster->nodes[i], text);
    }
    snprintf(text, sizeof text, "CLUSTER MEET 127.0.0.1 %d", cluster->ports[1]);
    private_redis_do(&cluster->nodes[0], text);
    for (int i = 0; i < 2; i++)
        for (int wait = 0; !private_redis_says(&cluster->nodes[i], "CLUSTER INFO", "cluster_state:ok") ||
                           !private_redis_says(&cluster->nodes[i], "CLUSTER INFO", "cluster_slots_ok:16384");
             wait++) {
            REQUIRE(wait < 3000);
            usleep(10000);
        }
    snprintf(cluster->url, sizeof cluster->url, "redis-cluster://127.0.0.1:%d,127.0.0.1:%d", cluster->ports[0],
             cluster->ports[1]);
}

static inline void private_cluster_destroy(struct private_cluster *cluster)
{
    for (int i = 0; i < 2; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s/nodes.conf", cluster->nodes[i].folder);
        unlink(path);
        private_redis_destroy(&cluster->nodes[i]);
    }
}
