"""The events of a real sales team, through Kafka into Redis: the figures are those calculated straight from its table."""
import gzip
import json
import random
import subprocess
import sys

import ask
import pytest
from servers import TESTS
from stream import Feed, settle
from test_end_to_end import milliseconds

REAL = TESTS.parent.parent / "shared" / "real"
pytestmark = pytest.mark.skipif(not REAL.exists(), reason="not applicable: no ../shared/real")


def arranged(lines, how):
    if how == "as it is":
        return lines
    lines = lines + lines[::37]
    random.Random(4).shuffle(lines)
    return lines


@pytest.mark.parametrize("how", ["as it is", "shuffled, every 37th twice"])
def test_figures_from_the_table(how, topics, redis_server, daemon, tmp_path):
    folder = REAL / "deals"
    clock = (folder / "as_of").read_text().strip()
    tenants = json.loads((folder / "config.json").read_text())["tenants"]
    lines = gzip.decompress((folder / "events.ndjson.gz").read_bytes()).decode().splitlines()
    redis, feed = redis_server(), Feed(topics, milliseconds(clock))
    feed.events(json.loads(line) for line in arranged(lines, how))
    worker = daemon(topics, redis, tenants, clock).start()
    settle(topics, worker, redis)
    queries = [json.loads(line) for line in (folder / "queries.ndjson").read_text().splitlines()]
    answers = tmp_path / "answers"
    answers.write_text("".join(line + "\n" for line in ask.live(worker, queries)))
    compared = subprocess.run([sys.executable, REAL / "compare.py", folder / "queries.ndjson", folder / "expected.ndjson", answers, "deals"],
                              capture_output=True, text=True, check=True)
    assert compared.stdout.splitlines()[-1] == "%d 0" % len(queries), compared.stdout
