"""The entities behind every number, read from Redis: their totals are those of the counters, at rest and on a busy tenant."""
import json
import subprocess
import sys
import threading

import ask
import pytest
from servers import TESTS
from stream import Feed, settle

sys.path.append(str(TESTS / "property"))
import explained  # noqa: E402
from questions import replay  # noqa: E402

EVENTS, TENANTS = 6000, 3


@pytest.fixture
def history(tmp_path):
    """(rows for Kafka, settings of tenants, clock)"""
    rows, settings = tmp_path / "events.tsv", tmp_path / "settings.json"
    subprocess.run([sys.executable, TESTS / "model" / "generate.py", "--seed", "11", "--events", str(EVENTS), "--tenants", str(TENANTS),
                    "--zones", "Europe/Berlin,America/New_York", "--repeat", "2%", "--late", "5%", "--out", rows, "--settings", settings], check=True)
    clock = settings.with_suffix(".json.as_of").read_text().strip()
    return rows.read_text(encoding="utf-8").splitlines(keepends=True), json.loads(settings.read_text())["tenants"], clock


def explains(daemon, queries):
    status, out, err = daemon.command("explain", stdin="".join(json.dumps(q) + "\n" for q in queries))
    assert status == 0 and len(out.splitlines()) == len(queries), "exit status %d: %s" % (status, err[-2000:])
    return out.splitlines()


def test_totals_of_every_metric_are_those_of_the_counters(binary, topics, redis_server, daemon, history):
    rows, tenants, clock = history
    redis = redis_server()
    running = daemon(topics, redis, tenants, clock).start()
    feed = Feed(topics)
    feed.rows(rows)
    feed.flush()
    settle(topics, running, redis)
    queries = [query for n, query in enumerate(ask.everything(tenants, [clock[:10], "2026-03-01"])) if n % 3 == 0]
    assert len({query["metric"] for query in queries}) > 80
    answers, told = ask.live(running, queries), explains(running, queries)
    wrong = [(query, text) for query, a, b in zip(queries, answers, told) for text in [explained.differs(query, a, b)] if text]
    assert not wrong, wrong[:3]
    versions = {(query["tenant"], json.loads(text).get("version")) for query, text in zip(queries, told) if "error" not in json.loads(text)}
    assert versions == {(tenant, int(redis.client.hget("crm:{%s}:state" % tenant, "version"))) for tenant in tenants}


def test_of_a_counter_that_was_changed_the_total_tells(topics, redis_server, daemon, history):
    rows, tenants, clock = history
    redis = redis_server()
    running = daemon(topics, redis, tenants, clock).start()
    feed = Feed(topics)
    feed.rows(rows[:1500])
    feed.flush()
    settle(topics, running, redis)
    query = {"tenant": "t00", "metric": "won_deals"}
    names = {text: number for number, text in redis.client.hgetall("crm:{t00}:names").items()}
    month = sorted(redis.client.hkeys("crm:{t00}:months"))[0]
    before = json.loads(explains(running, [query])[0])["total"]
    redis.client.hset("crm:{t00}:month:" + month, "deal_won:%s" % names.get("u1", "1"), "1000")
    assert json.loads(ask.live(running, [query])[0])["rows"][0]["value"] >= 1000 > before
    assert json.loads(explains(running, [query])[0])["total"] == before


def test_a_busy_tenant_is_explained_at_one_version(topics, redis_server, daemon, history):
    rows, tenants, clock = history
    redis = redis_server()
    running = daemon(topics, redis, tenants, clock).start()
    feed, done = Feed(topics), threading.Event()
    mine = [row for row in rows if row.startswith("t00\t")]

    def produce():
        for at in range(0, len(mine), 20):
            feed.rows(mine[at:at + 20])
            feed.producer.flush(10)
            done.wait(0.02)
        done.set()
    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    seen, queries = set(), [{"tenant": "t00", "metric": metric, "limit": 100000} for metric in ("calls", "open_deals", "close_rate", "records")]
    while not done.is_set():
        for query, line in zip(queries, explains(running, queries)):
            told = explained.read(line)
            if "error" in told:
                assert told["error"]["code"] == "unknown_tenant" or not seen, line
                continue
            seen.add(told["version"])
            assert explained.sums_differ(told) is None, (query, line)
    thread.join()
    assert len(seen) > 3, "the tenant was never seen moving"
    settle(topics, running, redis)
    plain = [{key: query[key] for key in ("tenant", "metric")} for query in queries]
    for query, a, b in zip(queries, ask.live(running, plain), explains(running, queries)):
        assert explained.differs(query, a, b) is None


def test_of_a_goal_on_what_the_intake_saw_the_total_is_that_of_the_counter(binary, tmp_path):
    goal = {"specversion": "1.0", "id": "1", "source": "/crm", "type": "crm.goal.set", "subject": "G-1", "tenantid": "acme", "time": "2026-03-02T08:00:00Z",
            "data": {"metric": "duplicate_events", "target": 4, "period": "2026-03"}}
    events = tmp_path / "events.ndjson"
    events.write_text(2 * (json.dumps(goal) + "\n"))
    for metric, value in (("actual", 1), ("goal_progress", 0.25)):
        query = {"tenant": "acme", "metric": metric, "by": ["goal"]}
        (answer,), (told,) = [replay(binary, "2026-03-31T12:00:00Z", {}, [query], [events], asking=asking)[1] for asking in ("--query", "--explain")]
        assert json.loads(answer) == {"rows": [{"goal": "G-1", "value": value}]}
        assert explained.differs(query, answer, told) is None


def test_requests_are_refused_as_those_of_query(topics, redis_server, daemon):
    redis = redis_server()
    running = daemon(topics, redis, {"acme": {}}).start().wait_ready()
    queries = [{"tenant": "nobody", "metric": "leads"}, {"tenant": "acme", "metric": "lead"}, {"tenant": "acme", "metric": "leads", "by": ["x"]},
               {"tenant": "acme", "metric": "leads", "period": "x"}, {"tenant": "acme", "metric": "leads", "stat": "p50"},
               {"tenant": "acme", "metric": "leads", "from": "2026-01-02", "to": "2026-01-01"}, {"tenant": "acme", "metric": "leads", "x": 1}]
    answers, told = ask.live(running, queries), explains(running, queries)
    assert [json.loads(text)["error"]["code"] for text in told] == [json.loads(text)["error"]["code"] for text in answers]
    assert [json.loads(text)["error"]["code"] for text in explains(running, [{"tenant": "acme", "metric": "leads", "limit": n} for n in (0, "1", 1e9)])] == ["bad_request"] * 3
    assert json.loads(explains(running, [{"tenant": "acme", "metric": "leads"}])[0]) == {"entities": [], "total": 0, "version": 0}
