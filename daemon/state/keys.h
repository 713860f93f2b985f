/* Every key of Redis that the daemon uses, in one place. All but the few without a tenant carry the tenant as hash tag. */
#pragma once

#include "common/arena.h"
#include "common/error.h"
#include "common/instant.h"
#include "daemon/intake/kinds.h"

/* Above each what it looks like with the prefix "crm", and what stands there. All results in the arena. */

/* crm:tenants                 set of tenants */
struct span key_tenants(struct arena *, const char *prefix);
/* crm:marks                   hash: "topic:partition" -> mark */
struct span key_marks(struct arena *, const char *prefix);

/* Of a Redis Cluster: */
/* crm:slots:{crm:tenants}     hash: slot -> "new" or "used"; lies where crm:tenants does */
struct span key_slots(struct arena *, const char *prefix);
/* crm:marks:{17}              as crm:marks, in the slot of "17" */
struct span key_slot_marks(struct arena *, const char *prefix, uint32_t tag);

/* crm:{acme}:state            hash: version, clock, positions, what it was counted by */
struct span key_state(struct arena *, const char *prefix, struct span tenant);
/* crm:{acme}:names            hash: number -> name */
struct span key_names(struct arena *, const char *prefix, struct span tenant);
/* crm:{acme}:timers           sorted set: "deal:D-1" -> microseconds of its wake-up */
struct span key_timers(struct arena *, const char *prefix, struct span tenant);
/* crm:{acme}:months           hash: yyyy-mm -> 1, months that have cells */
struct span key_months(struct arena *, const char *prefix, struct span tenant);
/* crm:{acme}:now              hash: undated cells */
struct span key_now(struct arena *, const char *prefix, struct span tenant);
/* crm:{acme}:day:2026-03-02   hash: the day's cells */
struct span key_day(struct arena *, const char *prefix, struct span tenant, int32_t day);
/* crm:{acme}:month:2026-03    hash: the month's */
struct span key_month(struct arena *, const char *prefix, struct span tenant, int32_t month);
/* crm:{acme}:deal:17          string: a page of entities */
struct span key_page(struct arena *, const char *prefix, struct span tenant, enum kind kind, uint32_t number);
/* crm:{acme}:list:stale_deals hash: "kind id" -> line (facts/lists.h) */
struct span key_list(struct arena *, const char *prefix, struct span tenant, const char *list);

/* crm:{acme}:report:service   string: its document */
struct span key_report(struct arena *, const char *prefix, struct span tenant, const char *report);
/* crm:{acme}:metrics:today    hash: metric -> number; version */
struct span key_metrics(struct arena *, const char *prefix, struct span tenant, const char *period);
/* crm:{acme}:reports          channel */
struct span key_channel(struct arena *, const char *prefix, struct span tenant);
/* crm:{acme}:published        hash: report -> version acknowledged by the topic */
struct span key_published(struct arena *, const char *prefix, struct span tenant);
/* crm:{acme}:versions         hash: report -> version of the document in crm:{acme}:report:… */
struct span key_versions(struct arena *, const char *prefix, struct span tenant);

/* crm:{acme}:alerts           hash: row of a rule -> its state; :version, :tenant_version */
struct span key_alerts(struct arena *, const char *prefix, struct span tenant);
/* crm:{acme}:alerts:unsent    hash: version and row -> event for the topic */
struct span key_alerts_unsent(struct arena *, const char *prefix, struct span tenant);
/* crm:{acme}:alerts:unposted  hash: … -> event for the webhook */
struct span key_alerts_unposted(struct arena *, const char *prefix, struct span tenant);

/* An entity as a member of crm:{acme}:timers: its kind, a colon, its id: "deal:D-1", "address:e…". */
struct span timer_member(struct arena *, enum kind kind, struct span id);
/* `*id` points into the member. False: it names no entity. */
bool timer_member_read(struct span member, enum kind *kind, struct span *id) MUST_USE;
