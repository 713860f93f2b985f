#include "daemon/demo/redis_process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LOOK_US = 10000,
    START_LOOKS = 1000,
    STOP_LOOKS = 300,
    FOLDERS_OPEN = 8
};

static bool make_folder(struct redis_process *redis, struct error *error)
{
    const char *base = getenv("TMPDIR");
    int need = snprintf(redis->folder, sizeof redis->folder, "%s/crm-reportd-demo-XXXXXX", base && *base ? base : "/tmp");
    if (need >= (int)sizeof redis->folder) {
        redis->folder[0] = 0;
        return fail(error, "TMPDIR is too long for a socket's name: %s", base);
    }
    if (!mkdtemp(redis->folder)) {
        bool made = fail(error, "no temporary folder %s: %s", redis->folder, strerror(errno));
        redis->folder[0] = 0;
        return made;
    }
    snprintf(redis->socket, sizeof redis->socket, "%s/redis.sock", redis->folder);
    return true;
}

/* In the child: becomes redis-server, or tells the parent why not. A group of its own: Ctrl-C is for the demo alone. */
_Noreturn static void become_redis(const struct redis_process *redis, bool stays, int tell)
{
    sigset_t none;
    char log[128];
    snprintf(log, sizeof log, "%s/redis.log", redis->folder);
    setpgid(0, 0);
    if (!stays) prctl(PR_SET_PDEATHSIG, SIGTERM);
    int nowhere = open("/dev/null", O_RDWR); /* it must not hold a pipe that the demo writes to */
    for (int descriptor = 0; descriptor < 3; descriptor++) dup2(nowhere, descriptor);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", redis->socket, "--unixsocketperm", "700", "--dir",
           redis->folder, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--logfile", log, (char *)NULL);
    int cause = errno;
    ssize_t written = write(tell, &cause, sizeof cause);
    _exit(written == sizeof cause ? 127 : 126);
}

/* Waits for the exec to succeed, which closes the pipe. */
static bool await_exec(int from_child, struct error *error)
{
    int cause;
    if (read(from_child, &cause, sizeof cause) != sizeof cause) return true;
    if (cause == ENOENT)
        return fail(error, "redis-server is not installed: the demo needs it (Debian and Ubuntu: apt install redis-server)");
    return fail(error, "redis-server cannot be started: %s", strerror(cause));
}

static bool spawn(struct redis_process *redis, bool stays, struct error *error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return fail(error, "no pipe: %s", strerror(errno));
    redis->pid = fork();
    if (redis->pid == 0) become_redis(redis, stays, ends[1]);
    close(ends[1]);
    bool started = redis->pid > 0 ? await_exec(ends[0], error) : fail(error, "no process for redis-server: %s", strerror(errno));
    close(ends[0]);
    if (redis->pid < 0) redis->pid = 0;
    return started;
}

static bool answers(const struct redis_process *redis)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, redis->socket, strlen(redis->socket) + 1);
    bool answers = server >= 0 && connect(server, (struct sockaddr *)&address, sizeof address) == 0;
    if (server >= 0) close(server);
    return answers;
}

bool redis_process_start(struct redis_process *redis, bool stays, struct error *error)
{
    *redis = (struct redis_process){ 0 };
    if (!make_folder(redis, error) || !spawn(redis, stays, error)) return false;
    for (int looks = 0; looks < START_LOOKS && !redis_process_gone(redis); looks++) {
        if (answers(redis)) return true;
        usleep(LOOK_US);
    }
    return fail(error, redis->pid ? "redis-server does not answer" : "redis-server ended at once: is port or disk the cause?");
}

bool redis_process_gone(struct redis_process *redis)
{
    if (redis->pid && waitpid(redis->pid, NULL, WNOHANG) == redis->pid) redis->pid = 0;
    return !redis->pid;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat, (void)type, (void)walk;
    return remove(path);
}

static void end(struct redis_process *redis)
{
    if (redis_process_gone(redis)) return;
    kill(redis->pid, SIGTERM);
    for (int looks = 0; looks < STOP_LOOKS && !redis_process_gone(redis); looks++) usleep(LOOK_US);
    if (!redis->pid) return;
    kill(redis->pid, SIGKILL);
    waitpid(redis->pid, NULL, 0);
    redis->pid = 0;
}

void redis_process_stop(struct redis_process *redis)
{
    end(redis);
    if (redis->folder[0]) nftw(redis->folder, remove_one, FOLDERS_OPEN, FTW_DEPTH | FTW_PHYS);
    redis->folder[0] = 0;
}
