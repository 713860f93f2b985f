"""Closed entities leave Redis when they were left alone for longer than `retire_after`: memory falls, every number stays, what comes
later is a dead letter and counted in the audit; `verify`, `explain` and `rebuild` know of it. Days fold into their months, and only
what needs them can no longer be asked."""
import datetime
import json
import subprocess
import sys
import threading

import ask
import pytest
from servers import TESTS, wait_until
from stream import Feed, settle
from test_end_to_end import milliseconds

EVENTS = 8000
KINDS = range(13)


@pytest.fixture
def history(tmp_path):
    """(rows for Kafka, settings of tenants, clock)"""
    rows, settings = tmp_path / "events.tsv", tmp_path / "settings.json"
    subprocess.run([sys.executable, TESTS / "model" / "generate.py", "--seed", "11", "--events", str(EVENTS), "--tenants", "3", "--late", "5%",
                    "--out", rows, "--settings", settings], check=True)
    tenants = json.loads(settings.read_text())["tenants"]
    tenants["t01"]["retire_after"] = 10
    timed = [row for row in rows.read_text(encoding="utf-8").splitlines(keepends=True) if '"time"' in row]  # a replay has another clock
    return timed, tenants, settings.with_suffix(".json.as_of").read_text().strip()


def later(clock, days):
    at = datetime.datetime.fromisoformat(clock.replace("Z", "+00:00")) + datetime.timedelta(days=days)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def stored(redis, tenant):
    """(entities, those that have left)"""
    texts = redis.client.hmget("crm:{%s}:state" % tenant, ["kind:%d" % kind for kind in KINDS])
    numbers = [[int(n) for n in (text or "0 0 0").split()] + [0] for text in texts]
    return sum(n[0] for n in numbers), sum(n[3] for n in numbers)


def page_bytes(redis, tenant):
    """Of the entities of all kinds that can leave."""
    return sum(redis.client.strlen(key) for kind in ("deal", "call", "meeting", "email", "case", "interaction", "response", "visit")
               for key in redis.client.scan_iter("crm:{%s}:%s:*" % (tenant, kind), count=1000))


def at_rest(redis, tenant):
    field = redis.client.hget("crm:{%s}:state" % tenant, "retirement")
    return stored(redis, tenant)[1] and len(field.split()) == 3


def same_answers(daemon, binary, clock, tenants, rows, folder):
    events = folder / "sent.ndjson"
    events.write_text("".join(row.split("\t", 2)[2] for row in rows), encoding="utf-8")
    queries = [q for n, q in enumerate(ask.everything(tenants, [clock[:10], "2026-03-01"])) if n % 4 == 0]
    ask.assert_same(queries, ask.replayed(binary, clock, tenants, queries, [events]), ask.live(daemon, queries))


def counted(topics, daemon, redis, tenants, clock, rows):
    """(a daemon that has counted them all, its clock in milliseconds)"""
    first, now_ms = daemon(topics, redis, tenants, clock).start(), milliseconds(clock)
    feed = Feed(topics, now_ms)
    feed.rows(rows)
    feed.flush()
    settle(topics, first, redis)
    return first, now_ms


def a_closed_case(rows):
    """Its tenant is t01; the whole event that closed it."""
    return next(event for event in (json.loads(row.split("\t", 2)[2]) for row in reversed(rows))
                if event.get("tenantid") == "t01" and event.get("type") == "crm.case.closed")


def test_closed_entities_leave_and_every_number_stays(history, topics, redis_server, daemon, binary, tmp_path):
    rows, tenants, clock = history
    redis = redis_server()
    first, now_ms = counted(topics, daemon, redis, tenants, clock, rows)
    entities, left = stored(redis, "t01")
    bytes_before = page_bytes(redis, "t01")
    assert entities > 200 and left == 0
    first.terminate()

    clock = later(clock, 12)
    second = daemon(topics, redis, tenants, clock, listen="").start()
    wait_until(lambda: at_rest(redis, "t01"), "nobody leaves", 30)
    settle(topics, second, redis)
    there, left = stored(redis, "t01")
    assert there + left == entities and left > entities / 4
    assert stored(redis, "t02")[1] == 0, "whose tenant does not say so stays"
    assert page_bytes(redis, "t01") < bytes_before * 0.8
    same_answers(second, binary, clock, tenants, rows, tmp_path)
    for words in ([], ["--entities"]):
        status, out, err = second.command("verify", *words)
        assert status == 0 and "have left" in out, out + err

    # Too late
    late = a_closed_case(rows) | {"id": "too-late", "type": "crm.case.reopened", "time": clock}
    Feed(topics, now_ms + 12 * 86400_000).events([late])
    settle(topics, second, redis)
    letter = dict(topics.records("dead-letter")[-1].headers())
    assert letter["__connect.errors.exception.class.name"] == b"after_retention"
    assert b"retire_after" in letter["__connect.errors.exception.message"]
    assert json.loads(ask.live(second, [{"tenant": "t01", "metric": "rejected_events", "where": {"reason": ["after_retention"]}}])[0]) == \
        {"rows": [{"value": 1}]}
    assert stored(redis, "t01") == (there, left), "it does not come back"
    assert second.command("verify", "--entities")[0] == 0
    status, out, err = second.command("explain", json.dumps({"tenant": "t01", "metric": "cases_handled"}))
    assert status == 0 and json.loads(out)["left"] == left, out + err

    # A counter that somebody changed is noticed, though its entity is no longer there.
    month, field, value = next((month, f, v) for month in redis.client.scan_iter("crm:{t01}:month:*")
                               for f, v in redis.client.hgetall(month).items() if f.startswith("case_closed"))
    redis.client.hset(month, field, str(int(value.split()[0]) + 1) + value[len(value.split()[0]):])
    assert second.command("verify", "--entities", "t01")[0] == 4
    redis.client.hset(month, field, value)

    # Without the topics their numbers would be lost; from them they come back, and so does the late event.
    status, out, err = second.command("rebuild", "--from-entities", "t01")
    assert status == 1 and "%d entities have left" % left in err, out + err
    status, out, err = second.command("rebuild", "t01")
    assert status == 0, out + err
    assert stored(redis, "t01") == (entities, 0)
    status, out, err = second.command("verify")
    assert status == 0, out + err


def test_they_leave_while_others_are_at_work(topics, redis_server, daemon):
    """A daemon that keeps up with what comes has read all there is now and then."""
    clock, tenants, redis = "2026-05-04T12:00:00Z", {"acme": {"retire_after": 10}}, redis_server()
    now_ms = milliseconds(clock)

    def case(n, verb):
        return {"specversion": "1.0", "id": "%s%d" % (verb, n), "source": "/s", "type": "crm.case." + verb, "subject": "S-%d" % n,
                "tenantid": "acme", "time": clock, "data": {}}

    first = daemon(topics, redis, tenants, clock).start()
    Feed(topics, now_ms).events(case(n, verb) for n in range(500) for verb in ("opened", "closed"))
    settle(topics, first, redis)
    first.terminate()
    daemon(topics, redis, tenants, later(clock, 11)).start()
    feed, stop, sent = Feed(topics, now_ms + 11 * 86400_000), threading.Event(), []

    def others():
        while not stop.wait(0.005):  # some 1,000 events a second
            feed.events([{"specversion": "1.0", "id": "o%d" % n, "source": "/o", "type": "crm.contact.created", "subject": "K-%d" % n,
                          "tenantid": "busy", "data": {}} for n in range(len(sent), len(sent) + 5)])
            sent.extend([None] * 5)

    at_work = threading.Thread(target=others)
    at_work.start()
    try:
        wait_until(lambda: stored(redis, "acme") == (0, 500), "nobody leaves", 30)
        assert redis.client.hget("crm:{busy}:state", "version"), "others were at work"
    finally:
        stop.set()
        at_work.join()


def test_days_fold_and_no_answer_changes_that_can_be_asked(history, topics, redis_server, daemon, binary, tmp_path):
    rows, tenants, clock = history
    tenants = {name: {key: value for key, value in settings.items() if key != "retire_after"} for name, settings in tenants.items()}
    tenants["t01"]["fold_after"] = 250
    redis = redis_server()
    first, now_ms = counted(topics, daemon, redis, tenants, clock, rows)
    first.terminate()

    def days(tenant, until):
        return [key for key in redis.client.scan_iter("crm:{%s}:day:*" % tenant, count=1000) if key.rsplit("day:", 1)[1] < until]

    now = later(clock, 340)
    days_from = later(now, -250)[:7] + "-01"
    assert days("t01", days_from) and days("t02", days_from)
    second = daemon(topics, redis, tenants, now).start()
    wait_until(lambda: redis.client.hget("crm:{t01}:state", "days_from") == days_from, "no days fold", 30)
    settle(topics, second, redis)
    assert not days("t01", days_from) and days("t02", days_from), "whose tenant does not say so keeps them"
    assert days("t01", "9999") or days_from > clock
    same_answers(second, binary, now, tenants, rows, tmp_path)
    answer = json.loads(ask.live(second, [{"tenant": "t01", "metric": "leads", "from": clock[:8] + "02", "to": days_from}])[0])
    assert answer["error"]["code"] == "days_folded" and days_from in answer["error"]["message"]

    # What comes late counts in its month alone.
    late = {"specversion": "1.0", "id": "late", "source": "/late", "type": "crm.contact.created", "subject": "late", "tenantid": "t01",
            "time": clock[:8] + "02T12:00:00Z", "data": {"source": "late"}}
    Feed(topics, now_ms + 340 * 86400_000).events([late])
    settle(topics, second, redis)
    assert not days("t01", days_from)
    assert json.loads(ask.live(second, [{"tenant": "t01", "metric": "leads", "by": ["month"], "where": {"source": ["late"]}}])[0]) == \
        {"rows": [{"month": clock[:7], "value": 1}]}
    for words in ([], ["--entities"]):
        status, out, err = second.command("verify", *words)
        assert status == 0, out + err
    status, out, err = second.command("rebuild", "t01")
    assert status == 0, out + err
    assert not days("t01", days_from) and second.command("verify")[0] == 0
