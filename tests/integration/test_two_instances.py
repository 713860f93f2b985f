"""Two instances in one group; one is frozen for longer than its session lasts, so that the other takes over, and then goes on
without knowing. What it then tries to commit must not count."""
import random
import signal
import subprocess
import sys
import time

import ask
from servers import TESTS
from stream import Feed, settle
from test_end_to_end import days_of, milliseconds

CLOCK = "2026-06-30T00:00:00Z"
SESSION_S = 6


def test_a_frozen_instance_changes_nothing(topics, redis_server, daemon, binary, tmp_path):
    events = tmp_path / "events.tsv"
    subprocess.run([sys.executable, TESTS / "model" / "generate.py", "--seed", "7", "--events", "40000", "--tenants", "8", "--repeat", "1%",
                    "--late", "5%", "--out", events], check=True)
    rows = events.read_text(encoding="utf-8").splitlines(keepends=True)
    redis, feed = redis_server(), Feed(topics, milliseconds(CLOCK))
    one, two = daemon(topics, redis, clock=CLOCK).start(), daemon(topics, redis, clock=CLOCK).start()
    for each in (one, two):
        each.wait_ready()
    feed.rows(rows[:10000])
    time.sleep(random.uniform(0.2, 0.6))
    one.send(signal.SIGSTOP)
    feed.rows(rows[10000:20000])
    feed.flush()
    time.sleep(SESSION_S + 3)
    feed.rows(rows[20000:30000])
    feed.flush()
    one.send(signal.SIGCONT)
    feed.rows(rows[30000:])
    feed.flush()
    settle(topics, two, redis, 300)
    assert one.alive() and two.alive()

    plain = tmp_path / "events.ndjson"
    plain.write_text("".join(row.split("\t", 2)[2] for row in rows), encoding="utf-8")
    tenants = sorted({row.split("\t", 1)[0] for row in rows})
    queries = ask.everything(dict.fromkeys(tenants, {}), days_of(CLOCK))
    ask.assert_same(queries, ask.replayed(binary, CLOCK, {}, queries, [plain]), ask.live(two, queries))
    assert one.terminate()[0] == 0 and two.terminate()[0] == 0
