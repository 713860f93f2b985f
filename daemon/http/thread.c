#include "daemon/http/thread.h"

#include "daemon/clock.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    NICE = 19 /* on a busy core such a thread gets a sixtieth of what one of the daemon's work gets */
};

void thread_steps_back(const char *name)
{
    pthread_setname_np(pthread_self(), name);
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &(struct sched_param){ 0 }); /* what wakes it takes no core from others */
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* on Linux of the thread alone; where it is forbidden, so be it */
}

int64_t thread_monotonic_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}
