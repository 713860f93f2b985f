/* Three acts: prepare the process, find the command, run it. */
#include "daemon/command/command.h"
#include "daemon/run/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A standard stream that was closed would be the next file or socket, and answers or log lines would be written there. What takes
 * its number can do only the other of the two, so that its use stays an error. */
static void hold_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
    }
}

/* A reader that went away is an error of write, not the end of the process; what is written is for this user only. */
static void prepare(void)
{
    hold_standard_streams();
    signal(SIGPIPE, SIG_IGN);
    umask(077);
    memory_prepare();
}

/* An answer that could not be written is none. Of a part that failed before the end only that is known; a command that failed
 * has said why. */
static int finish(int code)
{
    bool failed = ferror(stdout) && code != EXIT_FAILED;
    errno = 0;
    if (fclose(stdout) == 0 && !failed) return code;
    fprintf(stderr, "crm-reportd: standard output: %s\n", errno ? strerror(errno) : "cannot be written");
    return code ? code : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    int code;
    prepare();
    const struct command *command = command_choose(argc, argv, &code);
    if (command) code = command->run(argc - 1, argv + 1);
    return finish(code);
}
