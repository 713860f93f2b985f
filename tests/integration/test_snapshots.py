"""Report snapshots as their readers meet them: on the output topic, in Redis, on the channel, as single numbers."""
import json
import time

import jsonschema
from servers import TESTS
from stream import Feed, settle
from test_faults import CLOCK, NOW_MS, event

import ask

SCHEMA = json.loads((TESTS / "integration" / "report.schema.json").read_text())


def some_sales():
    yield event(1, "crm.contact.created", "c1", owner="u1", source="web")
    for n, owner in enumerate(["u1", "u1", "u2"]):
        yield event(10 + n, "crm.deal.created", "d%d" % n, amount="%d.50" % (100 * n), owner=owner, contact="c1", stage="talk")
        yield event(20 + n, "crm.deal.won", "d%d" % n, time_="2026-03-31T09:00:00Z")


def lists(document):
    """What stands beside the sections: no part of `changes`."""
    return {name: document[name] for name in ("open_deals", "offenders") if name in document}


def test_every_record_is_a_cloudevent_as_described(topics, redis_server, daemon):
    redis, feed = redis_server(), Feed(topics, NOW_MS)
    worker = daemon(topics, redis, clock=CLOCK).start()
    for sale in some_sales():
        feed.events([sale])
        time.sleep(0.3)
    settle(topics, worker, redis)
    versions, records = {}, topics.records("reports")
    assert len({record.key() for record in records}) > 2
    for record in records:
        made = json.loads(record.value())
        jsonschema.validate(made, SCHEMA)
        assert dict(record.headers())["content-type"].startswith(b"application/cloudevents+json")
        assert made["id"] == "%s/%d" % (record.key().decode(), made["data"]["version"])
        before = versions.get(record.key())
        assert before is None or made["data"]["version"] > before, "versions only grow"
        assert made["data"]["since"] in (None, before)
        assert made["data"]["since"] is None or made["data"]["changes"] or lists(made["data"]), "a version without a change is not sent"
        versions[record.key()] = made["data"]["version"]


def test_changes_lead_from_one_version_to_the_next(topics, redis_server, daemon):
    """Whoever holds a snapshot and applies `changes` to its totals and rows has the next one."""
    redis, feed = redis_server(), Feed(topics, NOW_MS)
    worker = daemon(topics, redis, clock=CLOCK).start()
    for sale in some_sales():
        feed.events([sale])
        settle(topics, worker, redis)
    held, followed = {}, 0
    for record in topics.records("reports"):
        data = json.loads(record.value())["data"]
        before = held.get(record.key())
        if before and data["since"] == before["version"] and not data.get("changes_truncated"):
            assert data["changes"] or lists(data) != lists(before), "a version without a change is not sent"
            check_changes(before, data)
            followed += 1
        held[record.key()] = data
    assert followed > 2


def test_the_trace_of_an_event_is_handed_on(topics, redis_server, daemon):
    """A report carries the traceparent of the last event behind its change, and none where that has none."""
    redis, feed = redis_server(), Feed(topics, NOW_MS)
    worker = daemon(topics, redis, clock=CLOCK).start()
    feed.events(event(n, "crm.deal.created", "d%d" % n, amount="10.00") for n in range(3))
    traces = ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", None, 'quoted "\\ \u00e4']
    for n, trace in enumerate(traces):
        settle(topics, worker, redis)
        feed.events([event(10 + n, "crm.deal.won", "d%d" % n) | ({"traceparent": trace} if trace else {})])
    settle(topics, worker, redis)
    sent = [json.loads(record.value()) for record in topics.records("reports") if record.key() == b"acme/sales_performance"]
    assert [made.get("traceparent") for made in sent] == [None, *traces]


def value_at(document, change):
    section = document["sections"][change["section"]]
    period = next(p for p in section["periods"] if p["name"] == change["period"])
    if not change["row"]:
        return period["total"].get(change["metric"])
    rows = [row for row in period["rows"] if all(row.get(k) == v for k, v in change["row"].items())]
    return rows[0].get(change["metric"]) if rows else None


def check_changes(before, after):
    for change in after["changes"]:
        assert value_at(before, change) == change["from"] and value_at(after, change) == change["to"] != change["from"], change
    told = {(c["section"], c["period"], c["metric"]) for c in after["changes"] if not c["row"]}
    for n, section in enumerate(after["sections"]):
        for old, new in zip(before["sections"][n]["periods"], section["periods"]):
            for metric, value in new["total"].items():
                assert value == old["total"].get(metric) or (n, new["name"], metric) in told, (n, new["name"], metric)


def test_redis_holds_the_same_and_tells_of_it(topics, redis_server, daemon):
    redis, feed = redis_server(), Feed(topics, NOW_MS)
    channel = redis.client.pubsub()
    channel.subscribe("crm:{acme}:reports")
    worker = daemon(topics, redis, clock=CLOCK).start()
    feed.events(some_sales())
    settle(topics, worker, redis)
    stored, sent = ask.snapshots(redis), topics.last_snapshots()
    assert stored.keys() == sent.keys()
    assert all(stored[key] == {k: v for k, v in sent[key].items() if k not in ("changes", "since", "changes_truncated")} for key in stored)
    assert redis.client.smembers("crm:tenants") == {"acme"}
    hints = {}
    while (message := channel.get_message(timeout=0.2)) is not None:
        if message["type"] == "message":
            hint = json.loads(message["data"])
            hints[hint["report"]] = hint["version"]
    assert hints == {report: document["version"] for (_, report), document in stored.items()}
    single = redis.client.hgetall("crm:{acme}:metrics:today")
    assert single["won_deals"] == "3" and single["revenue:EUR"] == "301.50" and int(single["version"]) > 0
    outside = [key for key in redis.client.scan_iter("*") if not key.startswith("crm:")]
    assert not outside, "nothing outside the prefix"


def commands_of(redis, act):
    """What Redis does meanwhile, scripts' commands among them: [[command, argument …]]."""
    found = []
    with redis.client.monitor() as monitor:
        act()
        redis.client.echo("that is all")
        while "that is all" not in (command := monitor.next_command()["command"]):
            found.append(command.split())
    return found


def test_of_single_numbers_what_changed_is_written(topics, redis_server, daemon):
    redis, feed, key = redis_server(), Feed(topics, NOW_MS), "crm:{acme}:metrics:this_month"
    worker = daemon(topics, redis, clock=CLOCK).start()

    def lead(n):
        feed.events([event(n, "crm.contact.created", "c%d" % n, owner="u1", source="web")])
        settle(topics, worker, redis)

    lead(1)
    lead(2)
    before = redis.client.hgetall(key)
    commands = commands_of(redis, lambda: lead(3))
    after = redis.client.hgetall(key)
    changed = {name for name in after if after[name] != before.get(name)}
    assert {"version", "leads"} <= changed and before.keys() == after.keys() and len(changed) < len(after)
    assert [command for command in commands if command[0].lower() == "del" and key in command] == []
    written = [name for command in commands if command[0].lower() == "hset" and command[1] == key for name in command[2::2]]
    assert set(written) == changed
    redis.client.hset(key, "version", "1")  # as if somebody else's stood there, with fewer numbers
    redis.client.hdel(key, min(after.keys() - changed))
    lead(4)
    last = redis.client.hgetall(key)
    assert last["leads"] == "4" and last.keys() == after.keys() and int(last["version"]) > int(after["version"])


def test_a_full_queue_to_the_topic_loses_no_report(topics, redis_server, daemon):
    """The client takes one record at a time: what it does not take now comes later, without another event."""
    redis, feed = redis_server(), Feed(topics, NOW_MS)
    worker = daemon(topics, redis, clock=CLOCK, kafka={"queue.buffering.max.messages": "1"}).start()
    feed.events(event(n, tenant="t%d" % (n % 5)) for n in range(100))
    settle(topics, worker, redis)
    stored, sent = ask.snapshots(redis), topics.last_snapshots()
    assert stored.keys() == sent.keys() and len(stored) >= 5
    assert all(ask.bare(sent[key]) == ask.bare(document) for key, document in stored.items())


def test_rows_add_up_to_the_total(topics, redis_server, daemon):
    redis, feed = redis_server(), Feed(topics, NOW_MS)
    worker = daemon(topics, redis, clock=CLOCK).start()
    feed.events(event(n, source="s%03d" % n) for n in range(400))
    settle(topics, worker, redis)
    report = ask.snapshots(redis)["acme", "conversion"]
    for section in report["sections"]:
        for period in section["periods"]:
            assert len(period["rows"]) <= 201
            assert sum(row["leads"] for row in period["rows"]) == period["total"]["leads"], (section["by"], period["name"])
    assert any(list(row.values())[0] == "(other)" for s in report["sections"] for p in s["periods"] for row in p["rows"])
