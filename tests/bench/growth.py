"""A company grows: what an event costs, what an entity takes and how soon the daemon counts again, with ever more cases in Redis."""
import json
import random
import time

from confluent_kafka import Producer

from machine import MeasuredDaemon, MeasuredRedis
from servers import wait_until
from stream import Topics
from throughput import CLOCK, configure, watch

TENANTS = ["t%02d" % n for n in range(20)]
DAYS = 100  # over which the cases of the past are spread
NEW, EVENTS_EACH = 20000, 10  # cases of the day that is measured, and how often each is heard of
SAMPLES = 300  # keys of a kind that are weighed
CASE = ('{"specversion":"1.0","id":"e%d","source":"/crm/desk","type":"crm.case.%s","subject":"Ca-%d","tenantid":"%s",'
        '"time":"2026-%02d-%02dT%02d:%02d:%02d.%06dZ","data":%s}')
PRIORITIES, CHANNELS = ["low", "normal", "high"], ["email", "chat", "portal", "phone"]


class Feed:
    """Cases of believable size: opened with six attributes, closed hours later. Each tenant counts its cases up."""

    def __init__(self, address):
        self.random, self.n, self.failed = random.Random(7), 0, []
        self.producer = Producer({"bootstrap.servers": address, "partitioner": "murmur2_random", "linger.ms": 50, "batch.size": 500000,
                                  "queue.buffering.max.messages": 500000, "compression.codec": "lz4", "delivery.report.only.error": True,
                                  "on_delivery": lambda error, _: self.failed.append(error) if error else None})

    def send(self, topic, case, verb, day, hour, data="{}"):
        self.n += 1
        tenant, pick = TENANTS[case % len(TENANTS)], self.random.randrange
        line = CASE % (self.n, verb, case // len(TENANTS), tenant, 1 + day // 28, 1 + day % 28, hour, pick(60), pick(60), pick(1000000), data)
        while True:
            try:
                self.producer.produce(topic, line, tenant)
                break
            except BufferError:
                self.producer.poll(0.1)
        if not self.n % 1000:
            self.producer.poll(0)

    def opened(self, case):
        pick = self.random.randrange
        return json.dumps({"priority": PRIORITIES[case % 3], "channel": CHANNELS[case % 4], "contact": "Co-%d" % pick(10**7),
                           "account": "Ac-%d" % pick(10**6), "owner": "u%d" % pick(40), "team": "desk-%d" % (case % 4)})

    def past(self, topic, first, last):
        for case in range(first, last):
            self.send(topic, case, "opened", case % DAYS, 9, self.opened(case))
            self.send(topic, case, "closed", case % DAYS, 15)
        self.flush()

    def today(self, topic, first):
        for n in range(EVENTS_EACH):
            for case in range(first, first + NEW):
                verb = "opened" if not n else "closed" if n % 2 else "reopened"
                self.send(topic, case, verb, DAYS + 10, 1 + n, self.opened(case) if not n else "{}")
        self.flush()

    def flush(self):
        assert self.producer.flush(300) == 0 and not self.failed, self.failed[:3]


def entities(redis):
    """(entities, bytes of one with all overhead: its share of a page, of the page's key and of the table that the key stands in)"""
    n = weighed = 0
    for tenant in TENANTS:
        of_tenant, _, pages = (int(part) for part in redis.client.hget("crm:{%s}:state" % tenant, "kind:6").split())
        sample = random.Random(1).sample(range(pages), min(pages, SAMPLES // len(TENANTS)))
        weights = [redis.client.memory_usage("crm:{%s}:case:%d" % (tenant, page), samples=0) or 0 for page in sample]  # 0: an empty page
        n, weighed = n + of_tenant, weighed + sum(weights) / len(weights) * pages
    return n, weighed / n


def run(binary, folder, kafka, cases):
    """One size; a row for the table."""
    topics = Topics(kafka, "grow-%d" % cases, 4)
    support, feed = topics.name("support"), Feed(kafka.address)
    redis = MeasuredRedis(folder / "redis", False)
    redis.start()
    daemon = MeasuredDaemon(binary, folder / "daemon", configure(kafka, topics, redis, "grow", "three"), CLOCK)
    try:
        empty = redis.client.info("memory")["used_memory"]
        feed.past(support, 0, cases)
        daemon.start()
        catch_up(daemon, redis, topics)
        peak = daemon.finish()["rss_mib"]
        stored, each = entities(redis)
        total = (redis.client.info("memory")["used_memory"] - empty) / stored
        feed.today(support, cases)
        before, redis_before, began = counted_events(redis), redis.cpu(), time.monotonic()
        daemon.start()
        wait_until(lambda: daemon.alive() and counted_events(redis) > before, "a first commit", every=0.005)
        first = time.monotonic() - began
        catch_up(daemon, redis, topics)
        used = daemon.finish()
        cpu, redis_cpu = used["cpu"], redis.cpu() - redis_before
        return {"cases": stored, "entity": each, "total": total, "redis_mib": redis.size()["redis_mib"], "start": first, "stop": used["stop"],
                "rss_mib": max(peak, used["rss_mib"]), "cost": cpu / (NEW * EVENTS_EACH), "redis_cost": redis_cpu / (NEW * EVENTS_EACH),
                "per_cpu_redis": NEW * EVENTS_EACH / (cpu + redis_cpu)}
    finally:
        daemon.kill()
        redis.kill()


def counted_events(redis):
    return sum(int(redis.client.hget("crm:{%s}:state" % tenant, "version") or 0) for tenant in TENANTS)


def catch_up(daemon, redis, topics):
    watch(daemon, redis, TENANTS, {"%s:%d" % place: end for place, end in topics.ends(topics.into).items() if end}, 3600)
