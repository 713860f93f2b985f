/* Three acts: prepare the process, find the command, run it. */
#include "daemon/command/command.h"
#include "daemon/run/memory.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

/* A reader that went away is an error of write, not the end of the process; what is written is for this user only. */
static void prepare(void)
{
    signal(SIGPIPE, SIG_IGN);
    umask(077);
    memory_prepare();
}

/* An answer that could not be written is none. */
static int finish(int code)
{
    if (fclose(stdout) == 0) return code;
    perror("crm-reportd: standard output");
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
