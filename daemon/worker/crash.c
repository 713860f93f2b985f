/* Tests only: the process ends, as by kill -9, at the crash point that CRM_REPORTD_CRASH_AT names ("commit sent", or
 * "commit sent:3": when it comes to it the third time). */
#include "daemon/worker/worker.h"

#ifdef CRASH_POINTS

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

void crash_point(const char *where)
{
    static unsigned long passed;
    const char *at = getenv("CRM_REPORTD_CRASH_AT");
    size_t n = strlen(where);
    if (!at || strncmp(at, where, n) != 0 || (at[n] && at[n] != ':')) return;
    unsigned long wanted = at[n] ? strtoul(at + n + 1, NULL, 10) : 1;
    if (__atomic_add_fetch(&passed, 1, __ATOMIC_RELAXED) == wanted) kill(getpid(), SIGKILL);
}

#else

typedef int no_crash_points; /* a file of C is not empty */

#endif
