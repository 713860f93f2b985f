"""What is to be seen during and after each fault: of Kafka, of Redis, of the events, of the daemon itself."""
import json
import random
import time

import ask
import mutations
import pytest
from questions import metric_names, replay
from servers import free_port, wait_until
from stream import Feed, quiet, settle
from test_end_to_end import milliseconds

CLOCK = "2026-03-31T12:00:00Z"
NOW_MS = milliseconds(CLOCK)
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


def event(number, type_="crm.contact.created", subject=None, tenant="acme", time_="2026-03-10T08:00:00Z", **data):
    made = {"specversion": "1.0", "id": "e%d" % number, "source": "/crm", "type": type_, "subject": subject or "c%d" % number, "data": data}
    return made | ({"tenantid": tenant} if tenant else {}) | ({"time": time_} if time_ else {})


def leads(first, last, tenant="acme"):
    return [event(n, tenant=tenant, owner="u%d" % (n % 3)) for n in range(first, last)]


def count(worker, metric="leads", tenant="acme", **more):
    answer = json.loads(ask.live(worker, [{"tenant": tenant, "metric": metric} | more])[0])
    return answer["rows"][0]["value"] if "rows" in answer else answer["error"]["code"]


@pytest.fixture
def feed(topics):
    return Feed(topics, NOW_MS)


@pytest.fixture
def redis(redis_server):
    return redis_server()


# --- Kafka ------------------------------------------------------------------------------------------------------------

def test_unreachable_kafka_is_said_and_can_be_left(topics, redis, daemon):
    worker = daemon(topics, redis, clock=CLOCK, kafka={"bootstrap.servers": "127.0.0.1:%d" % free_port()}).start()
    worker.wait_says("kafka", "broker")
    status, seconds = worker.terminate()
    assert status == 0 and seconds < 5


def stands_still(worker, seconds):
    before = worker.said().count("event=partition_")
    time.sleep(seconds)
    return worker.said().count("event=partition_") == before


def test_many_workers_leave_at_once(kafka, topics, redis, daemon):
    worker = daemon(topics, redis, clock=CLOCK, workers=16).start()
    worker.wait_ready(60)
    wait_until(lambda: stands_still(worker, 3), "the partitions stay with who has them", 60)
    kafka.kill()
    try:
        time.sleep(1)
        status, seconds = worker.terminate()
    finally:
        kafka.start()
    assert status == 0 and seconds < 5


def test_broker_killed_and_started_again(kafka, topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK).start()
    feed.events(leads(0, 500))
    settle(topics, worker, redis)
    kafka.kill()
    time.sleep(2)
    worker.alive()
    kafka.start()
    feed.events(leads(500, 1000))
    settle(topics, worker, redis)
    assert count(worker) == 1000 and count(worker, "duplicate_events") == 0


def test_output_topic_that_comes_later(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK, reports="later").start()
    feed.events(leads(0, 10))
    wait_until(lambda: count(worker) == 10, "counters go on without the output topic", 60, 0.3)
    wait_until(lambda: ("acme", "conversion") in ask.snapshots(redis), "snapshots in Redis go on without the output topic", 30)
    topics.create([topics.name("later")], 1, {"cleanup.policy": "compact"})
    wait_until(lambda: topics.last_snapshots("later").keys() == ask.snapshots(redis).keys(), "every report is published", 90, 1)
    quiet(topics, redis, reports="later")
    sent = topics.last_snapshots("later")
    assert all(ask.bare(sent[key]) == ask.bare(document) for key, document in ask.snapshots(redis).items())


# --- Redis ------------------------------------------------------------------------------------------------------------

def test_wrong_password_then_right(topics, redis_server, daemon, feed, tmp_path):
    redis, secret = redis_server(password="of-before"), tmp_path / "secret"
    secret.write_text("open-sesame\n")
    worker = daemon(topics, redis, clock=CLOCK)
    worker.configure(worker.config | {"redis": {"url": redis.url, "password_file": str(secret)}})
    feed.events(leads(0, 10))
    worker.start()
    worker.wait_says("redis", "password", "wrongpass", "auth")
    time.sleep(2)
    assert worker.whole_log().lower().count("wrongpass") <= 5, "the cause once, not per try"
    redis.change_password("open-sesame")
    settle(topics, worker, redis)
    assert count(worker) == 10
    assert "open-sesame" not in worker.whole_log()


def test_redis_out_of_memory_then_fixed(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK).start()
    feed.events(leads(0, 100))
    settle(topics, worker, redis)
    redis.client.config_set("maxmemory", "1mb")
    feed.events(leads(100, 3000))
    worker.wait_says("memory", "oom")
    assert worker.whole_log().lower().count("maxmemory") <= 10, "the cause once, not per event"
    redis.client.config_set("maxmemory", "0")
    settle(topics, worker, redis)
    assert count(worker) == 3000 and count(worker, "duplicate_events") == 0


def test_redis_emptied_under_a_running_daemon(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK).start()
    feed.events(leads(0, 500))
    settle(topics, worker, redis)
    before = ask.cells(redis, "acme")
    redis.client.flushall()
    feed.events(leads(500, 510, tenant="other"))
    wait_until(lambda: count(worker) == 500, lambda: "rebuilt; leads: %s\n%s" % (count(worker), worker.log()), 90, 0.5)
    settle(topics, worker, redis)
    assert ask.cells(redis, "acme") == before and count(worker, tenant="other") == 10


def test_redis_set_back_to_an_older_state(topics, redis_server, daemon, feed):
    redis = redis_server(durable=False)
    worker = daemon(topics, redis, clock=CLOCK).start()
    feed.events(leads(0, 300))
    settle(topics, worker, redis)
    redis.client.save()
    versions = {key: document["version"] for key, document in ask.snapshots(redis).items()}
    feed.events(leads(300, 700))
    settle(topics, worker, redis)
    redis.kill()
    redis.start()  # as it was at SAVE
    feed.events(leads(700, 710))
    wait_until(lambda: count(worker) == 710, lambda: "read again; leads: %s\n%s" % (count(worker), worker.log()), 90, 0.5)
    settle(topics, worker, redis)
    assert count(worker, "duplicate_events") == 0
    after = ask.snapshots(redis)
    assert after["acme", "conversion"]["version"] > versions["acme", "conversion"]
    assert ask.bare(topics.last_snapshots()["acme", "conversion"]) == ask.bare(after["acme", "conversion"])


# --- Events -----------------------------------------------------------------------------------------------------------

POISON = {
    "too_large": json.dumps(event(1, padding="x" * 100000)),
    "not_json": '{"specversion":',
    "not_cloudevents": '["specversion", "1.0"]',
    "missing_attribute": json.dumps({k: v for k, v in event(2).items() if k != "subject"}),
    "bad_attribute": json.dumps(event(3, owner=7)),
    "bad_tenant": json.dumps(event(4, tenant="a b")),
    "unknown_type": json.dumps(event(5, "crm.contact.exploded")),
    "bad_time": json.dumps(event(6, time_="yesterday")),
    "too_far_ahead": json.dumps(event(7, time_="2026-03-31T12:10:00.000001Z")),
}


def test_poison_of_every_kind_goes_to_the_dead_letters(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK, max_event_bytes=100000).start()
    for reason, value in POISON.items():
        feed.record("contacts", "acme", value, headers=[("mine", reason.encode())])
    feed.record("contacts", "acme", None)
    feed.events(leads(100, 110))
    settle(topics, worker, redis)
    assert count(worker) == 10
    letters = {dict(letter.headers())["mine"].decode(): letter for letter in topics.records("dead-letter")}
    assert letters.keys() == POISON.keys()
    for reason, letter in letters.items():
        headers = {name: value.decode() for name, value in letter.headers()}
        assert headers["__connect.errors.exception.class.name"] == reason and letter.value().decode() == POISON[reason] and letter.key() == b"acme"
        assert headers["__connect.errors.topic"] == topics.name("contacts")
        assert headers["__connect.errors.partition"].isdigit() and headers["__connect.errors.offset"].isdigit()
        assert headers["__connect.errors.stage"] == ("VALUE_CONVERTER" if reason in ("too_large", "not_json", "not_cloudevents") else "TRANSFORMATION")
        assert headers["__connect.errors.exception.message"]
    rows = {row["reason"]: row["value"] for tenant in ("acme", "default")
            for row in json.loads(ask.live(worker, [{"tenant": tenant, "metric": "rejected_events", "by": ["reason"]}])[0])["rows"]}
    assert rows == dict.fromkeys(POISON, 1)


def test_an_entity_with_too_many_events(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK, max_events=2).start()
    feed.events(event(n, "crm.contact.updated", "c1", owner="u%d" % n) for n in range(4))
    settle(topics, worker, redis)
    reasons = [dict(letter.headers())["__connect.errors.exception.class.name"] for letter in topics.records("dead-letter")]
    assert reasons == [b"too_many_events"] * 2
    assert count(worker) == 1 and count(worker, "rejected_events", by=["reason"]) == 2


def test_ten_thousand_broken_events(topics, redis, daemon, feed, binary, tmp_path):
    """Every one is counted or a dead letter, as a replay of the same lines says; and all of it once."""
    lines, clock = mutations.broken(2, 10000)
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    worker, producer = daemon(topics, redis, clock=clock).start(), Feed(topics, milliseconds(clock))
    for line in lines:
        producer.record("deals", mutations.BROKEN, line)
    producer.flush()
    settle(topics, worker, redis)
    queries = [{"tenant": tenant, "metric": metric} | by for tenant in (mutations.BROKEN, "default") for metric in metric_names()
               for by in ({}, {"by": ["month"]})]
    done = replay(binary, clock, {}, queries, [path])
    told = {int(line.split(":")[0][5:]) - 1: line.split(": ")[1] for line in done[2].splitlines()}
    letters = {}
    for letter in topics.records("dead-letter"):
        headers = {name: value.decode() for name, value in letter.headers()}
        offset = int(headers["__connect.errors.offset"])
        assert letter.value() == lines[offset] and offset not in letters
        letters[offset] = headers["__connect.errors.exception.class.name"]
    assert letters == told and len(told) > 1000
    ask.assert_same(queries, done[1], ask.live(worker, queries))


def test_binary_mode_counts_like_structured(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK).start()
    headers = {"ce_specversion": "1.0", "ce_id": "b1", "ce_source": "/crm", "ce_type": "crm.deal.created", "ce_subject": "d1", "ce_tenantid": "acme",
               "ce_time": "2026-03-10T08:00:00Z", "content-type": "application/json"}
    feed.record("deals", "acme", json.dumps({"amount": "12.50"}), headers=[(k, v.encode()) for k, v in headers.items()])
    feed.events([event(1, "crm.deal.created", "d2", amount="7.50")])
    settle(topics, worker, redis)
    assert count(worker, "open_deals") == 2 and count(worker, "open_amount") == {"EUR": 20.0}


def test_wrong_keys_and_partitions_cost_no_number(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK).start()
    rng = random.Random(5)
    for n in range(400):
        feed.record(rng.choice(["deals", "calls", "goals"]), rng.choice([None, "x", "acme", "ö"]), json.dumps(event(n)))
    feed.flush()
    settle(topics, worker, redis)
    assert count(worker) == 400


# --- The daemon itself ------------------------------------------------------------------------------------------------

def test_sigterm_drains_and_reads_nothing_twice(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK).start().wait_ready()
    feed.events(leads(0, 20000))
    wait_until(lambda: count(worker) not in (0, "unknown_tenant"), "the first events are counted")
    status, seconds = worker.terminate()
    assert status == 0 and seconds < 5
    counted = count(worker)
    assert sum(topics.committed(worker.config["kafka"]["group.id"]).values()) == counted, "offsets are where the counters are"
    worker.start()
    settle(topics, worker, redis)
    assert count(worker) == 20000 and count(worker, "duplicate_events") == 0


def test_restart_after_kill_publishes_what_was_committed(topics, redis, daemon, feed):
    slow = daemon(topics, redis, clock=CLOCK, snapshot_interval_ms=60000).start()
    feed.events(leads(0, 10))
    wait_until(lambda: count(slow) == 10, "counted")
    wait_until(lambda: ("acme", "conversion") in topics.last_snapshots(), "the first snapshot is out", 90, 0.5)
    feed.events(leads(10, 30))
    wait_until(lambda: count(slow) == 30, "counted")
    slow.kill()
    slow.configure(slow.config | {"snapshot_interval_ms": 200})
    began = time.monotonic()
    slow.start().wait_ready()
    assert time.monotonic() - began < 5

    def published():
        total = topics.last_snapshots()["acme", "conversion"]["sections"][0]["periods"]
        return any(period["total"].get("leads") == 30 for period in total)
    wait_until(published, "the reports catch up without a new event", 30, 0.5)


def test_the_day_changes_without_an_event(topics, redis, daemon, feed):
    def today():
        return redis.client.hget("crm:{acme}:metrics:today", "leads")
    worker = daemon(topics, redis, {"acme": {"time_zone": "Europe/Berlin"}}, clock="2026-03-30T21:59:00Z").start()
    feed.events([event(n, time_="2026-03-30T12:00:00Z") for n in range(5)])
    settle(topics, worker, redis)
    assert today() == "5"
    worker.terminate()
    worker.clock = "2026-03-30T22:00:00Z"  # midnight in Berlin
    worker.start()
    wait_until(lambda: today() in ("0", None), lambda: "the new day's snapshots; today still has %s leads\n%s" % (today(), worker.log()), 90, 0.3)
    quiet(topics, redis)
    assert count(worker, period="yesterday") == 5
    sent = topics.last_snapshots()["acme", "conversion"]
    assert ask.bare(sent) == ask.bare(ask.snapshots(redis)["acme", "conversion"])


def test_a_ready_daemon_serves_quickly(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK).start().wait_ready()
    feed.events(leads(0, 100))
    settle(topics, worker, redis)
    worker.kill()
    began = time.monotonic()
    worker.start().wait_ready()
    assert time.monotonic() - began < 3
