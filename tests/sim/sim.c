/* Histories of the daemon in a world of models: a Kafka that forgets, a Redis that is set back, instances that die, sleep and
 * meet. Each history is made from its seed; in the end everything must equal a plain fold of all events. A failure is made
 * smaller by leaving out steps, and told.
 *
 *   sim [--histories N] [--seed FIRST] [--jobs N] [--trace] [--brief] [--only 3,7,8]     (SIM_LOG=1: with the daemon's log)
 */
#include "common/instant.h"
#include "tests/sim/check.h"
#include "tests/sim/plan.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char catalogue_text[] =
    "{\"metrics\":{\"leads\":\"lead.count\",\"revenue\":\"deal_won.amount\",\"open_cases\":\"level(case_open.count)\","
    "\"missed\":\"promise_missed.count\",\"calls\":\"call.count\",\"rejected\":\"rejected_event.count\"},"
    "\"reports\":{\"one\":{\"by\":[[\"owner\"]],\"metrics\":[\"leads\",\"revenue\",\"calls\"],\"periods\":[\"this_month\","
    "\"today\"]},"
    "\"two\":{\"by\":[[\"priority\"]],\"metrics\":[\"open_cases\",\"missed\"],\"periods\":[\"last_30_days\"]}}}";

static char alerts_text[] =
    "CRM_REPORTD_ALERTS=[{\"name\":\"many\",\"metric\":\"leads\",\"period\":\"all\",\"above\":3,\"clear\":2},"
    "{\"name\":\"owner\",\"metric\":\"leads\",\"period\":\"this_month\",\"by\":[\"owner\"],\"above\":1},"
    "{\"name\":\"queue\",\"metric\":\"open_cases\",\"period\":\"today\",\"by\":[\"priority\"],\"above\":0,\"for\":\"2m\"},"
    "{\"name\":\"quiet\",\"metric\":\"calls\",\"period\":\"today\",\"below\":1},"
    "{\"name\":\"falls\",\"metric\":\"calls\",\"period\":\"today\",\"by\":[\"owner\"],\"change_below\":-0.5}]";

/* After so many days closed entities leave, of two of the tenants. */
static char tenants_text[] = "CRM_REPORTD_TENANTS={\"t0\":{},\"t1\":{\"retire_after\":20},\"t2\":{\"retire_after\":30}}";

struct house {
    struct settings *settings;
    struct catalogue *shipped, *small;
    struct engine engine;
};

enum verdict {
    EQUAL,
    STOPPED, /* data is gone for good, and the daemon said so */
    WRONG
};

struct options {
    uint64_t histories, first;
    int jobs;
    bool trace;
    bool brief;       /* a failure is told as it is, and is the end */
    const char *only; /* numbers of steps, by commas: the others are left out */
};

/* Of two of the tenants days fold into their months sooner than settings allow: no report of ours reaches back so far. */
static void fold_soon(struct settings *settings)
{
    static const char *const tenants[] = { "t0", "t2" };
    for (size_t i = 0; i < sizeof tenants / sizeof *tenants; i++)
        ((struct rules *)settings_rules(settings, span_of(tenants[i])))->fold_after_days = 75;
}

/* Counts what the shipped catalogue counts; publishes two small reports. */
static bool house_open(struct house *house)
{
    struct problems problems = { 0 };
    struct error error = { "" };
    struct catalogue_file shipped = catalogue_shipped(), small = { "small", span_of(catalogue_text) };
    char *environment[] = { alerts_text, tenants_text, NULL };
    log_setup(getenv("SIM_LOG") ? LEVEL_INFO : LEVEL_ERROR, LOG_TEXT);
    house->settings = settings_load(NULL, environment, NEED_RULES, &problems);
    house->shipped = catalogue_load(&shipped, 1, &problems);
    house->small = catalogue_load(&small, 1, &problems);
    problems_print(&problems, "sim: ", stderr);
    if (!house->settings || !house->shipped || !house->small) return false;
    fold_soon(house->settings);
    struct engine counting;
    if (!engine_init(&counting, house->settings, house->shipped, &error) ||
        !engine_init(&house->engine, house->settings, house->small, &error))
        return false;
    house->engine.kept = counting.kept;
    problems_deinit(&problems);
    return true;
}

/* ---- one history ---- */

static bool may_stop(const struct world *world)
{
    return world->broker.cut && world->set_back;
}

static enum verdict judge(struct world *world)
{
    if (!world->wrong.text[0] && !world->stopped.text[0] && check_settle(world) && check_equal(world)) {
        if (world->dice.state % 3) return EQUAL;
        world->now_us += 40 * MICROS_PER_DAY; /* everything that is due falls due */
        if (check_settle(world) && check_equal(world)) return EQUAL;
    }
    if (!world->wrong.text[0] && world->stopped.text[0] && may_stop(world)) return STOPPED;
    if (!world->wrong.text[0]) fail(&world->wrong, "an instance stopped: %s", world->stopped.text);
    return WRONG;
}

static enum verdict live(struct house *house, const struct plan *plan, struct error *why)
{
    struct world *world = must_alloc(sizeof *world);
    world_init(world, &house->engine, plan->partitions);
    world->floods = plan->seed % 4 == 2;
    world->unwatched = plan->seed % 10 == 6;
    for (size_t i = 0; i < plan->n && !world->wrong.text[0] && !world->stopped.text[0]; i++)
        step_do(world, plan, &plan->steps[i]);
    enum verdict verdict = judge(world);
    *why = world->wrong;
    world_deinit(world);
    free(world);
    return verdict;
}

/* ---- a failure ---- */

/* In a process of its own: a failure may be its end. */
static enum verdict live_apart(struct house *house, const struct plan *plan, struct error *why)
{
    int pipes[2], status = 0;
    *why = (struct error){ "it ended by a signal" };
    REQUIRE(pipe(pipes) == 0);
    pid_t child = fork();
    if (child == 0) {
        enum verdict verdict = live(house, plan, why);
        _exit(write(pipes[1], why, sizeof *why) == (ssize_t)sizeof *why ? (int)verdict : WRONG);
    }
    close(pipes[1]);
    bool told = read(pipes[0], why, sizeof *why) == (ssize_t)sizeof *why;
    close(pipes[0]);
    waitpid(child, &status, 0);
    return told && WIFEXITED(status) ? (enum verdict)WEXITSTATUS(status) : WRONG;
}

static bool still_wrong(struct house *house, struct plan *plan)
{
    struct error why;
    return live_apart(house, plan, &why) == WRONG;
}

/* Leaves out what can be left out: halves first, single steps last. */
static void shrink(struct house *house, struct plan *plan)
{
    for (size_t piece = plan->n / 2; piece; piece /= 2)
        for (size_t from = 0; from < plan->n; from += piece) {
            bool before[1024];
            size_t n = from + piece < plan->n ? piece : plan->n - from;
            for (size_t i = 0; i < n; i++) before[i] = plan->steps[from + i].left_out, plan->steps[from + i].left_out = true;
            if (still_wrong(house, plan)) continue;
            for (size_t i = 0; i < n; i++) plan->steps[from + i].left_out = before[i];
        }
}

static void print_plan(const struct plan *plan, FILE *out)
{
    fprintf(out, "%d partitions\n", plan->partitions);
    for (size_t i = 0; i < plan->n; i++)
        if (!plan->steps[i].left_out) step_print(plan, &plan->steps[i], out);
    fprintf(out, "again: sim --seed %llu --histories 1 --only ", (unsigned long long)plan->seed);
    for (size_t i = 0, n = 0; i < plan->n; i++)
        if (!plan->steps[i].left_out) fprintf(out, n++ ? ",%zu" : "%zu", i);
    fputc('\n', out);
}

/* In one piece: others tell theirs at the same time. */
static void tell(struct house *house, struct plan *plan, const struct error *first)
{
    struct error why;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    REQUIRE(out != NULL);
    shrink(house, plan);
    shrink(house, plan);
    (void)live_apart(house, plan, &why);
    fprintf(out, "\nseed %llu: %s\nmade smaller: %s\n", (unsigned long long)plan->seed, first->text, why.text);
    print_plan(plan, out);
    fclose(out);
    fwrite(text, 1, len, stdout);
    fflush(stdout);
    free(text);
}

/* ---- all of them ---- */

struct tally {
    uint64_t n[WRONG + 1];
};

static uint64_t seed_at_work;

/* The job ends here; `--seed N --histories 1` makes it smaller. */
static void aborted(int number)
{
    char text[64];
    int n = snprintf(text, sizeof text, "\nseed %llu: signal %d\n", (unsigned long long)seed_at_work, number);
    if (write(1, text, (size_t)n) == n) _exit(WRONG);
    _exit(WRONG);
}

static void keep_only(struct plan *plan, const char *steps)
{
    for (size_t i = 0; i < plan->n; i++) plan->steps[i].left_out = true;
    for (char *end; *steps; steps = *end ? end + 1 : end) {
        size_t i = strtoul(steps, &end, 10);
        if (i < plan->n) plan->steps[i].left_out = false;
    }
}

static struct tally live_all(struct house *house, const struct options *options, int job)
{
    struct tally tally = { 0 };
    for (uint64_t i = (uint64_t)job; i < options->histories && tally.n[WRONG] < (options->brief ? 1 : 3);
         i += (uint64_t)options->jobs) {
        struct plan plan;
        struct error why;
        plan_make(&plan, options->first + i);
        if (options->only) keep_only(&plan, options->only);
        if (options->trace) print_plan(&plan, stdout);
        seed_at_work = plan.seed;
        enum verdict verdict = (options->histories == 1 ? live_apart : live)(house, &plan, &why);
        tally.n[verdict]++;
        if (verdict == WRONG && (options->only || options->brief))
            printf("seed %llu: %s\n", (unsigned long long)plan.seed, why.text);
        else if (verdict == WRONG)
            tell(house, &plan, &why);
        plan_deinit(&plan);
    }
    return tally;
}

static bool run_job(struct house *house, const struct options *options, int job, int out)
{
    signal(SIGABRT, aborted);
    signal(SIGSEGV, aborted);
    struct tally tally = live_all(house, options, job);
    fflush(stdout);
    return write(out, &tally, sizeof tally) == (ssize_t)sizeof tally;
}

static bool run_jobs(struct house *house, const struct options *options, struct tally *sum)
{
    int pipes[2];
    bool fine = pipe(pipes) == 0;
    for (int job = 0; job < options->jobs && fine; job++) {
        pid_t child = fork();
        if (child == 0) _exit(run_job(house, options, job, pipes[1]) ? 0 : 1);
        fine = child > 0;
    }
    close(pipes[1]);
    struct tally one;
    int reported = 0;
    for (; read(pipes[0], &one, sizeof one) == (ssize_t)sizeof one; reported++)
        for (int v = 0; v <= WRONG; v++) sum->n[v] += one.n[v];
    while (wait(NULL) > 0) continue;
    return fine && reported == options->jobs;
}

static bool read_options(int argc, char **argv, struct options *options)
{
    static const struct option names[] = { { "histories", required_argument, NULL, 'n' },
                                           { "seed", required_argument, NULL, 's' },
                                           { "jobs", required_argument, NULL, 'j' },
                                           { "trace", no_argument, NULL, 't' },
                                           { "brief", no_argument, NULL, 'b' },
                                           { "only", required_argument, NULL, 'o' },
                                           { NULL, 0, NULL, 0 } };
    *options = (struct options){ .histories = 2000, .first = 1, .jobs = 2 };
    for (int got; (got = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (got == 'n') options->histories = strtoull(optarg, NULL, 10);
        if (got == 's') options->first = strtoull(optarg, NULL, 10);
        if (got == 'j') options->jobs = (int)strtol(optarg, NULL, 10);
        if (got == 't') options->trace = true;
        if (got == 'b') options->brief = true;
        if (got == 'o') options->only = optarg;
        if (got == '?') return false;
    }
    return options->jobs > 0 && options->histories > 0;
}

int main(int argc, char **argv)
{
    struct options options;
    struct house house;
    struct tally sum = { 0 };
    struct timespec began, ended;
    if (!read_options(argc, argv, &options)) {
        fprintf(stderr, "usage: sim [--histories N] [--seed FIRST] [--jobs N] [--trace] [--brief] [--only 3,7,8]\n");
        return 2;
    }
    if (!house_open(&house)) return 2;
    clock_gettime(CLOCK_MONOTONIC, &began);
    bool complete = run_jobs(&house, &options, &sum);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    double seconds = (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
    double n = (double)(sum.n[EQUAL] + sum.n[STOPPED] + sum.n[WRONG]);
    printf("%.0f histories from seed %llu in %.1f s (%.0f a minute): %llu equal, %llu stopped with the reason, %llu wrong\n", n,
           (unsigned long long)options.first, seconds, n / seconds * 60, (unsigned long long)sum.n[EQUAL],
           (unsigned long long)sum.n[STOPPED], (unsigned long long)sum.n[WRONG]);
    catalogue_destroy(house.shipped);
    catalogue_destroy(house.small);
    settings_destroy(house.settings);
    return complete && !sum.n[WRONG] ? 0 : 1;
}
