#include "daemon/http/hub.h"

#include "common/error.h"
#include "common/instant.h"
#include "daemon/http/routes.h"

#include <inttypes.h>
#include <stdlib.h>

/* The newest version of a report, and which news of the tenant it is. */
struct latest {
    int64_t version;
    uint64_t news;
    size_t len;
    char name[];
};

struct followed {
    struct map reports; /* name -> struct latest */
    struct follower *first;
    uint64_t news; /* so many hints so far */
    bool fresh;    /* since they were woken */
    int64_t woken_us;
    struct buffer text; /* what was read last: the news behind `text_from` up to `text_to` */
    uint64_t text_from, text_to;
    size_t len;
    char name[];
};

void update_write(struct span report, int64_t version, struct buffer *out)
{
    if (!report.len) return buffer_printf(out, "event: alerts\ndata: {\"version\":%" PRId64 "}\n\n", version);
    buffer_printf(out, "id: %" PRId64 "\nevent: report\ndata: {\"report\":\"%.*s\",\"version\":%" PRId64 "}\n\n", version,
                  SPAN_ARG(report), version);
}

void hub_follow(struct hub *hub, struct follower *follower, struct span tenant)
{
    struct followed *followed = map_get(&hub->tenants, tenant);
    if (!followed) {
        followed = must_zalloc(sizeof *followed + tenant.len);
        followed->woken_us = INT64_MIN / 2;
        followed->len = tenant.len;
        memcpy(followed->name, tenant.at, tenant.len);
        map_put(&hub->tenants, (struct span){ followed->name, followed->len }, followed);
    }
    follower->tenant = followed;
    follower->seen = followed->news;
    follower->previous = NULL;
    follower->next = followed->first;
    if (followed->first) followed->first->previous = follower;
    followed->first = follower;
    hub->n_followers++;
}

static void forget(struct hub *hub, struct followed *followed)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&followed->reports, &at));) free(slot->value);
    map_deinit(&followed->reports);
    buffer_deinit(&followed->text);
    hub->n_fresh -= followed->fresh;
    map_remove(&hub->tenants, (struct span){ followed->name, followed->len });
    if (!hub->tenants.count) map_deinit(&hub->tenants), hub->tenants = (struct map){ 0 };
    free(followed);
}

void hub_leave(struct hub *hub, struct follower *follower)
{
    struct followed *followed = follower->tenant;
    if (!followed) return;
    if (follower->previous)
        follower->previous->next = follower->next;
    else
        followed->first = follower->next;
    if (follower->next) follower->next->previous = follower->previous;
    follower->tenant = NULL;
    hub->n_followers--;
    if (!followed->first) forget(hub, followed);
}

static struct latest *latest_of(struct followed *followed, struct span report)
{
    struct latest *latest = map_get(&followed->reports, report);
    if (latest) return latest;
    latest = must_zalloc(sizeof *latest + report.len);
    latest->len = report.len;
    memcpy(latest->name, report.at, report.len);
    map_put(&followed->reports, (struct span){ latest->name, latest->len }, latest);
    return latest;
}

void hub_hint(struct hub *hub, struct span tenant, struct span report, int64_t version)
{
    struct followed *followed = map_get(&hub->tenants, tenant);
    if (!followed) return;
    struct latest *latest = latest_of(followed, report);
    latest->version = version;
    latest->news = ++followed->news;
    hub->n_fresh += !followed->fresh;
    followed->fresh = true;
}

static void wake_all(struct follower *follower)
{
    for (struct follower *next; follower; follower = next) {
        next = follower->next;
        follower->wake(follower);
    }
}

int64_t hub_tell(struct hub *hub, int64_t now_us)
{
    int64_t next_us = INT64_MAX;
    size_t at = 0;
    if (!hub->n_fresh) return next_us;
    for (struct map_slot *slot; (slot = map_next(&hub->tenants, &at));) {
        struct followed *followed = slot->value;
        int64_t due_us = followed->woken_us + HUB_REST_MS * MICROS_PER_MS;
        if (!followed->fresh) continue;
        if (now_us < due_us) {
            if (due_us < next_us) next_us = due_us;
            continue;
        }
        followed->fresh = false;
        followed->woken_us = now_us;
        hub->n_fresh--;
        wake_all(followed->first);
    }
    return next_us;
}

static int by_version(const void *a, const void *b)
{
    const struct latest *left = *(const struct latest *const *)a, *right = *(const struct latest *const *)b;
    return (left->version > right->version) - (left->version < right->version);
}

/* In the order of versions: who was cut off in the middle says by the last one what is missing. */
static void write_news(struct followed *followed, uint64_t seen)
{
    size_t at = 0, n = 0;
    const struct latest **unseen = must_alloc((followed->reports.count + 1) * sizeof *unseen);
    for (struct map_slot *slot; (slot = map_next(&followed->reports, &at));) {
        const struct latest *latest = slot->value;
        if (latest->news > seen) unseen[n++] = latest;
    }
    qsort(unseen, n, sizeof *unseen, by_version);
    buffer_clear(&followed->text);
    for (size_t i = 0; i < n; i++)
        update_write((struct span){ unseen[i]->name, unseen[i]->len }, unseen[i]->version, &followed->text);
    free(unseen);
    followed->text_from = seen;
    followed->text_to = followed->news;
}

bool hub_news(struct follower *follower, struct buffer *out)
{
    struct followed *followed = follower->tenant;
    if (!followed || follower->seen == followed->news) return false;
    if (followed->text_from != follower->seen || followed->text_to != followed->news) write_news(followed, follower->seen);
    buffer_span(out, buffer_all(&followed->text));
    follower->seen = followed->news;
    return true;
}

void hub_each(struct hub *hub, void (*each)(struct follower *))
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&hub->tenants, &at));) {
        struct followed *followed = slot->value;
        for (struct follower *follower = followed->first, *next; follower; follower = next) {
            next = follower->next;
            each(follower);
        }
    }
}
