/* A redis-server of the test's own: on a unix socket in a temporary folder, gone with the test. */
#pragma once

#include "common/error.h"

#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct private_redis {
    char folder[64], socket[96], url[128];
    pid_t pid;
    redisContext *admin;
};

static inline redisContext *private_redis_try(const struct private_redis *redis)
{
    redisContext *context = redisConnectUnix(redis->socket);
    redisReply *reply = context && !context->err ? redisCommand(context, "PING") : NULL;
    if (reply) {
        freeReplyObject(reply);
        return context;
    }
    if (context) redisFree(context);
    return NULL;
}

/* `more`: further options in the form of redis.conf, may be "". Aborts when there is no redis-server: no test is skipped. */
static inline void private_redis_start(struct private_redis *redis, const char *more)
{
    char path[128];
    snprintf(path, sizeof path, "%s/redis.conf", redis->folder);
    FILE *file = fopen(path, "w");
    REQUIRE(file != NULL);
    fprintf(file, "port 0\nunixsocket %s\nsave \"\"\nappendonly no\ndir %s\nlogfile %s/log\n%s\n", redis->socket, redis->folder,
            redis->folder, more);
    fclose(file);
    redis->pid = fork();
    REQUIRE(redis->pid >= 0);
    if (redis->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp("redis-server", "redis-server", path, (char *)NULL);
        fprintf(stderr, "redis-server cannot be started: it must be installed for this test\n");
        _exit(127);
    }
    for (int i = 0; i < 500 && !(redis->admin = private_redis_try(redis)); i++) usleep(10000);
    REQUIRE(redis->admin != NULL);
}

static inline void private_redis_create(struct private_redis *redis, const char *more)
{
    *redis = (struct private_redis){ .folder = "/tmp/crm-state-XXXXXX" };
    signal(SIGPIPE, SIG_IGN);
    REQUIRE(mkdtemp(redis->folder) != NULL);
    snprintf(redis->socket, sizeof redis->socket, "%s/socket", redis->folder);
    snprintf(redis->url, sizeof redis->url, "unix://%s", redis->socket);
    private_redis_start(redis, more);
}

static inline void private_redis_kill(struct private_redis *redis)
{
    redisFree(redis->admin);
    kill(redis->pid, SIGKILL);
    waitpid(redis->pid, NULL, 0);
}

static inline void private_redis_destroy(struct private_redis *redis)
{
    static const char *const files[] = { "redis.conf", "socket", "log", "dump.rdb" };
    private_redis_kill(redis);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", redis->folder, files[i]);
        unlink(path);
    }
    rmdir(redis->folder);
}

/* Must be answered without an error; returns the integer, or 1 for +OK. */
static inline long long private_redis_do(struct private_redis *redis, const char *command)
{
    redisReply *reply = redisCommand(redis->admin, command);
    REQUIRE(reply != NULL);
    if (reply->type == REDIS_REPLY_ERROR) fprintf(stderr, "%s: %s\n", command, reply->str);
    REQUIRE(reply->type != REDIS_REPLY_ERROR);
    long long number = reply->type == REDIS_REPLY_INTEGER ? reply->integer : 1;
    freeReplyObject(reply);
    return number;
}

/* Does the answer, a text, hold these words? */
static inline bool private_redis_says(struct private_redis *redis, const char *command, const char *words)
{
    redisReply *reply = redisCommand(redis->admin, command);
    REQUIRE(reply != NULL);
    bool says = reply->str && strstr(reply->str, words);
    freeReplyObject(reply);
    return says;
}
