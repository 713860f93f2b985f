"""200,000 events through real Kafka into real Redis while the daemon is killed twenty times and Redis twice: every answer, every
counter and every snapshot equals a replay in memory and an undisturbed second run, to the last digit."""
import concurrent.futures
import datetime
import json
import os
import random
import subprocess
import sys
import time

import ask
import pytest
from servers import TESTS
from stream import Feed, settle

EVENTS = int(os.environ.get("END_TO_END_EVENTS", "200000"))
TENANTS, KILLS = 20, 20
ZONES = "UTC,Europe/Berlin,America/New_York,Asia/Kathmandu"
SEED = int(os.environ.get("SEED", random.randrange(1_000_000)))


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """(rows for Kafka, file for replay, settings of tenants, clock)"""
    folder = tmp_path_factory.mktemp("history")
    rows, settings = folder / "events.tsv", folder / "settings.json"
    subprocess.run([sys.executable, TESTS / "model" / "generate.py", "--seed", str(SEED), "--events", str(EVENTS), "--tenants", str(TENANTS),
                    "--zones", ZONES, "--repeat", "2%", "--late", "5%", "--bad", "0.1%", "--out", rows, "--settings", settings], check=True)
    lines = rows.read_text(encoding="utf-8").splitlines(keepends=True)
    events = folder / "events.ndjson"
    events.write_text("".join(line.split("\t", 2)[2] for line in lines), encoding="utf-8")
    clock = settings.with_suffix(".json.as_of").read_text().strip()
    return lines, events, json.loads(settings.read_text())["tenants"], clock


def milliseconds(clock):
    return int(datetime.datetime.fromisoformat(clock.replace("Z", "+00:00")).timestamp() * 1000)


def days_of(clock, n=200):
    last = datetime.date.fromisoformat(clock[:10])
    return [str(last - datetime.timedelta(days=k)) for k in range(0, n, 7)]


def disturbed_run(victim, redis, feed, rows, rng):
    """Produces in pieces; after each the daemon dies somewhere in the work. Twice Redis dies too."""
    redis_dies = set(rng.sample(range(1, KILLS), 2))
    size = len(rows) // KILLS + 1
    victim.start()
    for n in range(KILLS):
        feed.rows(rows[n * size:(n + 1) * size])
        time.sleep(rng.uniform(0.02, 1.2))
        if n in redis_dies:
            redis.kill()
            time.sleep(rng.uniform(0.0, 0.8))
            redis.start()
            time.sleep(rng.uniform(0.0, 0.8))
        victim.kill()
        victim.start()
    feed.flush()


def test_exact_under_kills(history, topics, redis_server, daemon, binary):
    rows, events, tenants, clock = history
    print("SEED=%d" % SEED)
    rng, feed = random.Random(SEED), Feed(topics, milliseconds(clock))
    redis, calm_redis = redis_server(), redis_server()
    victim = daemon(topics, redis, tenants, clock)
    disturbed_run(victim, redis, feed, rows, rng)
    settle(topics, victim, redis, 600)

    queries = ask.everything(tenants, days_of(clock), SEED)
    want, got = ask.both(lambda: ask.replayed(binary, clock, tenants, queries, [events]), lambda: ask.live(victim, queries))
    ask.assert_same(queries, want, got)

    check_snapshots(topics, redis, binary, clock, tenants, events)
    victim.terminate()

    topics.create([topics.name("calm")], 2)
    calm = daemon(topics, calm_redis, tenants, clock, group="calm", reports="calm").start()
    settle(topics, calm, calm_redis, 600, "calm")
    check_counters(redis, calm_redis, tenants)


def check_snapshots(topics, redis, binary, clock, tenants, events):
    """Redis, the last record per key of the output topic, and a replay hold the same documents."""
    stored, sent = ask.snapshots(redis), topics.last_snapshots()
    assert stored.keys() == sent.keys() and len(stored) >= len(tenants)
    for key, document in stored.items():
        assert {k: v for k, v in sent[key].items() if k not in ("changes", "since", "changes_truncated")} == document, key
    check_documents(stored, binary, clock, tenants, events)


def check_documents(stored, binary, clock, tenants, events):
    """A replay gives the same documents."""
    reports = sorted({report for _, report in stored})
    config = events.parent / "tenants.json"
    config.write_text(json.dumps({"tenants": tenants}))

    def documents(report):
        done = subprocess.run([binary, "replay", "--as-of", clock, "-c", config, "--report", report, events], capture_output=True, timeout=600, check=False)
        assert done.returncode in (0, 3), done.stderr[-2000:]
        return done.stdout.decode().splitlines()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        replayed = list(pool.map(documents, reports))
    for report, lines in zip(reports, replayed):
        for line in lines:
            document = json.loads(line)
            if (document["tenant"], report) in stored:
                assert ask.bare(stored[document["tenant"], report]) == ask.bare(document), (document["tenant"], report)


def check_counters(redis, calm_redis, tenants):
    for tenant in tenants:
        got, want = ask.cells(redis, tenant), ask.cells(calm_redis, tenant)
        assert want, "the undisturbed run counted nothing for %s" % tenant
        wrong = [(cell, want.get(cell), got.get(cell)) for cell in want.keys() | got.keys() if want.get(cell) != got.get(cell)]
        assert not wrong, "%s: %d of %d cells differ: (cell, want, got) %s" % (tenant, len(wrong), len(want), wrong[:5])
