"""A company whose past stands in Redis: entities of believable size sent through Kafka, counted by the daemon, weighed where they are kept."""
import random
import time

from confluent_kafka import Producer

from machine import MeasuredDaemon, MeasuredRedis
from servers import wait_until
from stream import Topics
from throughput import CLOCK, configure, watch

TENANTS = ["t%02d" % n for n in range(20)]
DAYS = 100  # over which the past is spread
SAMPLES = 6000  # pages of a kind that are weighed, if there are so many: most are empty, some hold twenty
PEOPLE = 200000  # contacts that are named; a tenth as many accounts and deals
EVENT = ('{"specversion":"1.0","id":"e%d","source":"/crm/desk","type":"crm.%s.%s","subject":"%s-%d","tenantid":"%s",'
         '"time":"2026-%02d-%02dT%02d:%s","data":%s}')
MINUTES = ["%02d:%02d.%06dZ" % (n * 7 % 60, n * 13 % 60, n * 7919 % 1000000) for n in range(4099)]
PRIORITIES, CHANNELS, SOURCES = ["low", "normal", "high"], ["email", "chat", "portal", "phone"], ["web", "fair", "referral", "outbound"]


def case(n, pick):
    return (("opened", 9, '{"priority":"%s","channel":"%s","contact":"Co-%d","account":"Ac-%d","owner":"u%d","team":"desk-%d"}' % (
        PRIORITIES[n % 3], CHANNELS[n % 4], pick(PEOPLE), pick(PEOPLE // 10), pick(40), n % 4)), ("closed", 15, "{}"))


def deal(n, pick):
    opened = '{"pipeline":"new","stage":"lead","amount":%d.%02d,"currency":"EUR","contact":"Co-%d","account":"Ac-%d","owner":"u%d","team":"team-%d","source":"%s"}' % (
        100 + pick(50000), pick(100), pick(PEOPLE), pick(PEOPLE // 10), pick(40), n % 4, SOURCES[n % 4])
    return (("created", 9, opened), ("stage_changed", 11, '{"stage":"talk"}'), ("stage_changed", 13, '{"stage":"offer"}'),
            ("won" if n % 3 else "lost", 15, "{}" if n % 3 else '{"loss_reason":"price"}'))


def email(n, pick):
    sent = '{"contact":"Co-%d","deal":"De-%d","campaign":"Cm-%d","owner":"u%d","team":"team-%d"}' % (pick(PEOPLE), pick(PEOPLE // 10), pick(20), pick(40), n % 4)
    return (("sent", 9, sent), ("delivered", 9, "{}"), ("opened", 12, "{}"), ("clicked", 13, "{}"))[:4 - n % 3]


# kind -> topic, letters of its ids, number in keys of the tenant's state, what happens in one life
KINDS = {"case": ("support", "Ca", 6, case), "deal": ("deals", "De", 2, deal), "email": ("emails", "Em", 5, email)}

FAMILIES = {"day": "counters", "month": "counters", "now": "counters", "names": "names"} | dict.fromkeys(
    ("contact", "account", "deal", "call", "meeting", "email", "case", "interaction", "campaign", "address"), "others")


class Feed:
    """Lives of entities, one after the other. Each tenant counts its own up."""

    def __init__(self, address, kind):
        self.kind, (self.topic, self.letters, _, self.life) = kind, KINDS[kind]
        self.pick, self.n, self.failed = random.Random(7).randrange, 0, []
        self.producer = Producer({"bootstrap.servers": address, "partitioner": "murmur2_random", "linger.ms": 50, "batch.size": 500000,
                                  "queue.buffering.max.messages": 500000, "compression.codec": "lz4", "delivery.report.only.error": True,
                                  "on_delivery": lambda error, _: self.failed.append(error) if error else None})

    def send(self, topic, n, verb, day, hour, data):
        self.n += 1
        tenant = TENANTS[n % len(TENANTS)]
        line = EVENT % (self.n, self.kind, verb, self.letters, n // len(TENANTS), tenant, 1 + day // 28, 1 + day % 28, hour, MINUTES[self.n % 4099], data)
        while True:
            try:
                self.producer.produce(topic, line, tenant)
                break
            except BufferError:
                self.producer.poll(0.1)
        if not self.n % 1000:
            self.producer.poll(0)

    def past(self, topic, last):
        for n in range(last):
            for verb, hour, data in self.life(n, self.pick):
                self.send(topic, n, verb, n % DAYS, hour, data)
        self.flush()

    def today(self, topic, first, new, each):
        """Work of one day: `new` cases, each heard of `each` times."""
        for n in range(each):
            for number in range(first, first + new):
                verb = "opened" if not n else "closed" if n % 2 else "reopened"
                self.send(topic, number, verb, DAYS + 10, 1 + n, case(number, self.pick)[0][2] if not n else "{}")
        self.flush()

    def flush(self):
        assert self.producer.flush(300) == 0 and not self.failed, self.failed[:3]


class Company:
    """Its topics, its Redis, its daemon."""

    def __init__(self, binary, folder, kafka, name, kind, catalogue):
        self.topics, self.kind = Topics(kafka, name, 4), kind
        self.topic, self.feed = self.topics.name(KINDS[kind][0]), Feed(kafka.address, kind)
        self.redis = MeasuredRedis(folder / "redis", False)
        self.redis.start()
        self.daemon = MeasuredDaemon(binary, folder / "daemon", configure(kafka, self.topics, self.redis, name, catalogue), CLOCK)
        self.empty = self.used_memory()

    def used_memory(self):
        return self.redis.client.info("memory")["used_memory"]

    def counted(self):
        return sum(int(self.redis.client.hget("crm:{%s}:state" % tenant, "version") or 0) for tenant in TENANTS)

    def catch_up(self):
        ends = {"%s:%d" % place: end for place, end in self.topics.ends(self.topics.into).items() if end}
        return watch(self.daemon, self.redis, TENANTS, ends, 3600)

    def grow(self, entities):
        """The past, counted in one go; {rss_mib, samples, events}."""
        self.feed.past(self.topic, entities)
        self.daemon.start()
        samples = self.catch_up()
        return self.daemon.finish(300) | {"samples": samples, "events": self.feed.n}

    def work(self, first, new, each):
        """One day's work after a start; {cpu, redis_cpu, start, stop, rss_mib}."""
        self.feed.today(self.topic, first, new, each)
        before, redis_before, began = self.counted(), self.redis.cpu(), time.monotonic()
        self.daemon.start()
        wait_until(lambda: self.daemon.alive() and self.counted() > before, "a first commit", every=0.005)
        start = time.monotonic() - began
        self.catch_up()
        return {"start": start} | self.daemon.finish(300) | {"redis_cpu": self.redis.cpu() - redis_before}

    def weigh(self):
        """{entities, entity, others, counters, names, rest, total}: bytes in Redis by entity. `entity`: its share of a page, of the page's key and of the table
        that the key stands in; `others`: records of what it names; `counters`: cells of now, days and months; `rest`: state, timers, lists, reports."""
        number, weighed, n = KINDS[self.kind][2], dict.fromkeys(("entity", "others", "counters", "names", "rest"), 0), 0
        for tenant in TENANTS:
            entities, _, pages = (int(part) for part in self.redis.client.hget("crm:{%s}:state" % tenant, "kind:%d" % number).split())
            sample = random.Random(1).sample(range(pages), min(pages, SAMPLES // len(TENANTS)))
            bytes_of = [self.bytes_of("crm:{%s}:%s:%d" % (tenant, self.kind, page)) for page in sample]
            n, weighed["entity"] = n + entities, weighed["entity"] + sum(bytes_of) / len(bytes_of) * pages
        for key in self.redis.client.scan_iter(count=10000):
            family = key.split("}:")[-1].split(":")[0]
            if family != self.kind:
                weighed[FAMILIES.get(family, "rest")] += self.bytes_of(key)
        return {"entities": n, "total": (self.used_memory() - self.empty) / n} | {name: value / n for name, value in weighed.items()}

    def bytes_of(self, key):
        return self.redis.client.memory_usage(key, samples=0) or 0  # 0: an empty page

    def end(self):
        self.daemon.kill()
        self.redis.kill()
