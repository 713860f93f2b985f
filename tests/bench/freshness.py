"""From an event to the snapshot that shows it: probes among a background load, watched for in Redis and on the output topic."""
import datetime
import json
import multiprocessing
import time

import redis as redis_client
from confluent_kafka import Consumer, Producer, TopicPartition

from machine import MeasuredDaemon, MeasuredRedis
from throughput import configure

PROBE_TENANTS = 8
PROBES_PER_S = 20
REPORT, METRIC, PERIOD = "conversion", "leads", "this_month"
POLL_S = 0.05
LINGER_S = 10  # for what is late


def probe_tenant(number):
    return "probe-%d" % (number % PROBE_TENANTS)


def probe_event(number):
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="microseconds")
    return json.dumps({"specversion": "1.0", "id": "probe-%d" % number, "source": "/bench", "type": "crm.contact.created", "time": now,
                       "subject": "K-%d" % number, "tenantid": probe_tenant(number), "data": {"source": "email", "owner": "u1"}})


def shown(document):
    """How many probes of its tenant the report shows."""
    return next(p["total"][METRIC] for p in document["sections"][0]["periods"] if p["name"] == PERIOD)


# Each watcher is a process of its own and gives back [(tenant, probes shown, monotonic seconds)].

def watch_redis(socket, ready, stop, found):
    client, seen = redis_client.Redis(unix_socket_path=socket, decode_responses=True), []
    hints = client.pubsub(ignore_subscribe_messages=True)
    tenants = {"crm:{probe-%d}:reports" % n: "probe-%d" % n for n in range(PROBE_TENANTS)}
    hints.subscribe(*tenants)
    ready.set()
    while not stop.is_set():
        hint = hints.get_message(timeout=POLL_S)
        if hint and json.loads(hint["data"])["report"] == REPORT:
            tenant = tenants[hint["channel"]]
            document = client.get("crm:{%s}:report:%s" % (tenant, REPORT))
            seen.append((tenant, shown(json.loads(document)), time.monotonic()))
    found.put(("redis", seen))


def watch_kafka(address, topic, ready, stop, found):
    consumer, seen = Consumer({"bootstrap.servers": address, "group.id": "bench-watch", "enable.auto.commit": False, "fetch.wait.max.ms": 10}), []
    places = [TopicPartition(topic, n) for n in consumer.list_topics(topic, timeout=30).topics[topic].partitions]
    for place in places:
        place.offset = consumer.get_watermark_offsets(place, timeout=30)[1]
    consumer.assign(places)
    ready.set()
    while not stop.is_set():
        for record in consumer.consume(500, POLL_S / 5):
            if record.error() or not record.key().startswith(b"probe-") or not record.key().endswith(b"/" + REPORT.encode()):
                continue
            at = time.monotonic()
            seen.append((record.key().decode().split("/")[0], shown(json.loads(record.value())["data"]), at))
    consumer.close()
    found.put(("topic", seen))


def feed(address, topics, file, rate, seconds):
    """Background at the rate, and probes; when each probe was sent, and by how much the feed was late at worst."""
    producer = Producer({"bootstrap.servers": address, "partitioner": "murmur2_random", "linger.ms": 1, "enable.idempotence": True})
    sent, late, began = [], 0.0, time.monotonic()
    with open(file, "rb") as lines:
        for n, line in enumerate(lines):
            due = began + n / rate
            if due > began + seconds:
                break
            wait = due - time.monotonic()
            if wait > 0:
                producer.poll(wait)
            late = max(late, -wait)
            key, topic, value = line.rstrip(b"\n").split(b"\t", 2)
            producer.produce(topics.name(topic.decode().split(".", 1)[1]), value, key)
            if due >= began + len(sent) / PROBES_PER_S:
                event = probe_event(len(sent))
                sent.append(time.monotonic())
                producer.produce(topics.name("contacts"), event, probe_tenant(len(sent) - 1))
    assert producer.flush(30) == 0
    return sent, late


def waits(sent, seen, skipped):
    """Seconds from each probe to the first sight of it, those of the warm-up left out; None: it was never seen."""
    taken, number_of = [], {}
    sights = {}
    for tenant, total, at in seen:
        sights.setdefault(tenant, []).append((at, total))
    for number, at in enumerate(sent):
        tenant = probe_tenant(number)
        number_of[tenant] = number_of.get(tenant, 0) + 1
        if number >= skipped:
            first = min((t for t, total in sorted(sights.get(tenant, [])) if total >= number_of[tenant]), default=None)
            taken.append(first - at if first is not None else None)
    return taken


def summary(taken):
    known = sorted(value for value in taken if value is not None)
    assert known, "no probe was seen"
    rank = lambda share: known[min(len(known) - 1, int(share * len(known)))] * 1000  # noqa: E731
    return {"probes": len(taken), "unseen": len(taken) - len(known), "p50": rank(0.5), "p90": rank(0.9), "p99": rank(0.99), "max": known[-1] * 1000}


def run(binary, folder, kafka, topics, file, interval_ms, rate=2000, seconds=30, warm=10):
    """One run; {place: row} for Redis and the topic, with the CPU seconds per second of daemon, Redis and broker."""
    redis = MeasuredRedis(folder / "redis", durable=False)
    redis.start()
    settings = configure(kafka, topics, redis, folder.name, "full", snapshot_interval_ms=interval_ms)
    daemon = MeasuredDaemon(binary, folder / "daemon", settings)
    fresh = multiprocessing.get_context("spawn")  # librdkafka does not live through a fork
    found, stop, ready = fresh.Queue(), fresh.Event(), [fresh.Event() for _ in range(2)]
    watchers = [fresh.Process(target=watch_redis, args=(str(redis.socket), ready[0], stop, found)),
                fresh.Process(target=watch_kafka, args=(kafka.address, topics.name("reports"), ready[1], stop, found))]
    try:
        daemon.start()
        for watcher, event in zip(watchers, ready):
            watcher.start()
            assert event.wait(30), "a watcher does not start"
        time.sleep(1)
        before = daemon.cpu(), redis.cpu(), kafka.cpu()
        sent, late = feed(kafka.address, topics, file, rate, warm + seconds)
        used = [(after - was) / (warm + seconds) for after, was in zip((daemon.cpu(), redis.cpu(), kafka.cpu()), before)]
        time.sleep(min(LINGER_S, 3 + interval_ms / 1000))
        daemon.alive()
        stop.set()
        seen = dict(found.get(timeout=30) for _ in watchers)
        cost = dict(zip(("cpu_share", "redis_share", "broker_share"), used)) | {"interval_ms": interval_ms, "rate": rate, "late": late * 1000}
        daemon.finish()
        return {place: summary(waits(sent, seen[place], warm * PROBES_PER_S)) | cost for place in ("redis", "topic")}
    finally:
        stop.set()
        for watcher in watchers:
            if watcher.is_alive():
                watcher.join(5)
                watcher.kill()
        daemon.kill()
        redis.kill()
