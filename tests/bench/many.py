"""Very many small tenants: what one of them takes of the daemon's memory, how long their documents take, what they cost when nothing comes,
how soon it counts again after a start, and what their midnight costs."""
import time

from confluent_kafka import Producer

from machine import MeasuredDaemon, MeasuredRedis
from servers import wait_until
from stream import Topics
from throughput import configure, look_at, watch

EVENT = ('{"specversion":"1.0","id":"%s","source":"/crm","type":"crm.case.%s","subject":"Ca-%d","tenantid":"%s","time":"%sT%02d:00:00Z",'
         '"data":{"priority":"%s","owner":"u%d"}}')
DAY, NEXT_DAY = "2026-04-30", "2026-05-01"
QUIET_S, REST_S = 3, 10
TOUCHED = "t0"  # the tenant of the event after a start


def feed(address, topic, tenants):
    """A case of yesterday closed, one of today open."""
    producer = Producer({"bootstrap.servers": address, "partitioner": "murmur2_random", "linger.ms": 50, "enable.idempotence": True})
    for n, tenant in enumerate(tenants):
        for verb, case, day in (("opened", 1, "2026-04-29"), ("closed", 1, "2026-04-29"), ("opened", 2, DAY)):
            producer.produce(topic, EVENT % (verb + str(case), verb, case, tenant, day, 9 + (verb == "closed"), ["low", "high"][n % 2], n % 5), tenant)
        producer.poll(0)
    assert producer.flush(120) == 0


def version(redis, tenant=TOUCHED):
    return int(redis.client.hget("crm:{%s}:state" % tenant, "version") or 0)


def written(daemon, redis):
    """(documents, seconds until the last one was written; or the last single numbers, where there are no reports)"""
    began, n = time.monotonic(), None
    changed = began
    while time.monotonic() - changed < QUIET_S:
        daemon.alive()
        now = [redis.calls().get(name, (0, 0))[0] for name in ("publish", "evalsha")]
        if now != n:
            n, changed = now, time.monotonic()
        time.sleep(0.1)
    return n[0], changed - began


def at_rest(daemon, redis):
    """Shares of a CPU, of the daemon and of Redis, while nothing comes."""
    cpu, redis_cpu, began = daemon.cpu(), redis.cpu(), time.monotonic()
    time.sleep(REST_S)
    seconds = time.monotonic() - began
    return (daemon.cpu() - cpu) / seconds, (redis.cpu() - redis_cpu) / seconds


def started(daemon, redis, kafka, topic):
    """Seconds from a start to the commit of an event that is there."""
    producer, before = Producer({"bootstrap.servers": kafka.address, "partitioner": "murmur2_random"}), version(redis)
    producer.produce(topic, EVENT % ("again", "reopened", 1, TOUCHED, DAY, 11, "low", 1), TOUCHED)
    producer.flush(30)
    began = time.monotonic()
    daemon.start()
    wait_until(lambda: daemon.alive() and version(redis) > before, "a first commit", every=0.005)
    return time.monotonic() - began


def midnight(daemon, redis, tenants):
    """(seconds until every tenant stands on the next day, CPU seconds of the daemon, of Redis)"""
    before, redis_before, began = {tenant: version(redis, tenant) for tenant in tenants}, redis.cpu(), time.monotonic()
    daemon.clock = NEXT_DAY + "T00:00:01Z"
    daemon.start()

    def done():
        pipe = redis.client.pipeline(transaction=False)
        for tenant in tenants:
            pipe.hget("crm:{%s}:state" % tenant, "version")
        return daemon.alive() and all(int(now) > before[tenant] for tenant, now in zip(tenants, pipe.execute()))
    wait_until(done, "every tenant on the next day", 600, 0.5)
    return time.monotonic() - began, daemon.cpu(), redis.cpu() - redis_before


def run(binary, folder, kafka, n, catalogue):
    topics, tenants = Topics(kafka, "many-%d-%s" % (n, catalogue), 4), ["t%d" % i for i in range(n)]
    redis = MeasuredRedis(folder / "redis", False)
    redis.start()
    settings = configure(kafka, topics, redis, "many-%d-%s" % (n, catalogue), catalogue, midnight_spread_s=0)
    daemon = MeasuredDaemon(binary, folder / "daemon", settings, DAY + "T12:00:00Z")
    try:
        feed(kafka.address, topics.name("support"), tenants)
        daemon.start()
        ends = {"%s:%d" % place: end for place, end in topics.ends(topics.into).items() if end}
        watch(daemon, redis, look_at(tenants, set(tenants[-200:])), ends, 600)
        documents, seconds = written(daemon, redis)
        publisher, (rest, rest_redis) = daemon.threads().get("publisher", 0), at_rest(daemon, redis)
        seen = {"documents": documents, "documents_s": seconds, "publisher": publisher, "rest": rest, "rest_redis": rest_redis}
        grown = daemon.finish(120)
        start = started(daemon, redis, kafka, topics.name("support"))
        again = daemon.finish(120)
        seconds, cpu, redis_cpu = midnight(daemon, redis, tenants)
        return {"tenants": n, "events": sum(ends.values()), "rss_mib": grown["rss_mib"], "cpu": grown["cpu"], "start": start, "start_rss": again["rss_mib"],
                "midnight": seconds, "midnight_cpu": cpu, "midnight_redis": redis_cpu, "midnight_rss": daemon.finish(120)["rss_mib"]} | seen
    finally:
        daemon.kill()
        redis.kill()
