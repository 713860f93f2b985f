"""The daemon ends, as by kill -9, at each point of the way from a read record to a moved mark, and from a commit to a report that the topic
has acknowledged, the first, second and fifth time it comes there; everything must still count once and be published."""
import signal
import subprocess
import sys

import ask
from servers import TESTS, wait_until
from stream import Feed, settle
from test_end_to_end import check_snapshots, days_of, milliseconds

CLOCK = "2026-06-30T00:00:00Z"
POINTS = ["loaded", "folded", "before commit", "commit sent", "commit answered", "marks moved",
          "reports rendered", "reports stored", "reports sent", "report acknowledged", "report noted"]
TIMES = [1, 2, 5]
PIECE = 400


def test_ending_at_every_point(topics, redis_server, daemon, binary, crash_binary, tmp_path):
    events = tmp_path / "events.tsv"
    subprocess.run([sys.executable, TESTS / "model" / "generate.py", "--seed", "3", "--events", str(PIECE * (len(POINTS) * len(TIMES) + 1)), "--tenants", "3",
                    "--repeat", "2%", "--late", "5%", "--bad", "0.5%", "--out", events], check=True)
    rows = events.read_text(encoding="utf-8").splitlines(keepends=True)
    redis, feed = redis_server(), Feed(topics, milliseconds(CLOCK))
    worker = daemon(topics, redis, clock=CLOCK, program=crash_binary, durability_lag_ms=50)
    fed = 0
    for time in TIMES:
        for point in POINTS:
            worker.crash_at = "%s:%d" % (point, time)
            worker.start()
            while worker.process.poll() is None:  # a piece may be done in fewer rounds than that
                feed.rows(rows[fed:fed + PIECE // 8])
                feed.flush()
                fed += PIECE // 8
                assert fed < len(rows), "never came to %s\n%s" % (worker.crash_at, worker.log())
                try:
                    worker.process.wait(0.5)
                except subprocess.TimeoutExpired:
                    continue
            assert worker.process.returncode == -signal.SIGKILL, worker.log()
    worker.crash_at = None
    worker.start()
    feed.rows(rows[fed:])
    feed.flush()
    settle(topics, worker, redis)

    plain = tmp_path / "events.ndjson"
    plain.write_text("".join(row.split("\t", 2)[2] for row in rows), encoding="utf-8")
    tenants = sorted({row.split("\t", 1)[0] for row in rows})
    queries = ask.everything(dict.fromkeys(tenants, {}), days_of(CLOCK))
    ask.assert_same(queries, ask.replayed(binary, CLOCK, {}, queries, [plain]), ask.live(worker, queries))
    wait_until(lambda: topics.last_snapshots().keys() == ask.snapshots(redis).keys(), "every report is published")
    check_snapshots(topics, redis, binary, CLOCK, {}, plain)
