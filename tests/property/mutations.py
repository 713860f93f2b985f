#!/usr/bin/env python3
"""Ten thousand broken events, each made from a good one by a fault or two, among good events of another tenant. None may stop the
replay or harm another: each broken line is either counted or rejected with a reason and a message, the same whatever comes before
it, and the other tenant's numbers are as if they had been alone.

    mutations.py --bin PATH-TO-crm-reportd [--count 10000] [--seed 1]
"""
import argparse
import json
import random
import re
import sys
import tempfile
from pathlib import Path

from histories import History
from questions import metric_names, replay

REASONS = {"not_json", "not_cloudevents", "unknown_type", "missing_attribute", "bad_attribute", "bad_time", "too_far_ahead", "too_large",
           "bad_tenant", "too_many_events"}
PIECES = [b'"', b"{", b"}", b"[", b"]", b":", b",", b"null", b"\\u0000", b"\\ud800", b"\\", b"-", b"9" * 20, b"e9", b"\xff", b"\xc3", b".", b"\x00"]
VALUES = [None, True, 0, -1, 1e308, 10**30, 0.1, "", "x", "x" * 300, "x" * 2000, [], [[]], {}, {"a": {"b": [1]}}, "1e9", "12.345", "-0.00", "EUR",
          "eur", "2026-02-30", "2026-13-01T00:00:00Z", "0000-00-00T00:00:00Z", "2199-12-31T23:59:59Z", "\u0000", "\u2028", "💥", "crm.deal.won", "a b"]
ALONE, BROKEN = "good", "acme"


def flip_bit(rng, line):
    at = rng.randrange(len(line))
    return line[:at] + bytes([line[at] ^ 1 << rng.randrange(8)]) + line[at + 1:]


def cut(rng, line):
    at, n = rng.randrange(len(line)), rng.choice([1, 4, 16, 10000])
    return line[:at] + line[at + n:]


def insert(rng, line):
    at = rng.randrange(len(line))
    return line[:at] + rng.choice(PIECES) + line[at:]


def duplicate(rng, line):
    at, n, to = rng.randrange(len(line)), rng.randrange(256), rng.randrange(len(line))
    return line[:to] + line[at:at + n] + line[to:]


def change_value(rng, line):
    """Of the envelope or of data: another value, another name, or none."""
    try:
        event = json.loads(line)
        where = rng.choice([event, event["data"]])
        name = rng.choice(sorted(where.keys()))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return flip_bit(rng, line)
    value = where.pop(name)
    fault = rng.random()
    if fault < 0.8:
        where[name if fault < 0.7 else name.upper()] = rng.choice(VALUES) if fault < 0.7 else value
    return json.dumps(event, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


FAULTS = [flip_bit, cut, insert, duplicate, change_value, change_value, change_value]


def broken(seed, count):
    """(lines as bytes, clock): so many broken events, none with a line end in it."""
    rng, lines, history = random.Random(seed), [], None
    for n in range(count):
        if n % 50 == 0:
            history = History(seed * 1_000_000 + n)
        event = rng.choice(history.events) | {"id": "m%d" % n, "tenantid": BROKEN}
        line = json.dumps(event).encode()
        for _ in range(rng.choice([1, 1, 2])):
            line = rng.choice(FAULTS)(rng, line) or b"{"
        lines.append(line.replace(b"\n", b" ").replace(b"\r", b" ").strip() or b"{")
    return lines, "2027-06-30T00:00:00Z"


def good(seed):
    return [json.dumps(event | {"tenantid": ALONE}).encode() for event in History(seed).events]


def questions():
    return [{"tenant": ALONE, "metric": metric} | by for metric in metric_names() for by in ({}, {"by": ["month"]})]


def run(binary, as_of, lines):
    """(answers, {line number: reason})"""
    with tempfile.TemporaryDirectory() as tmp:
        path = Path(tmp, "events.ndjson")
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        code, answers, err = replay(binary, as_of, {"tenants": {}}, questions(), [path], timeout=900)
    told = [re.fullmatch(r"line (\d+): (\w+): .+", line) for line in err.splitlines()]
    if code not in (0, 3) or not all(told) or len(answers) != len(questions()):
        sys.exit("exit code %s, %d answers:\n%s" % (code, len(answers), err[-4000:]))
    return answers, {int(each[1]): each[2] for each in told}


def differences(binary, seed, count):
    """What is wrong, as texts."""
    lines, as_of = broken(seed, count)
    alone, places = good(seed), random.Random(seed)
    mixed = [(True, line) for line in lines]
    for line in alone:
        mixed.insert(places.randrange(len(mixed)), (False, line))
    wanted, rejected_alone = run(binary, as_of, alone)
    for name, order in (("in order", mixed), ("backwards", mixed[::-1])):
        answers, rejected = run(binary, as_of, [line for _, line in order])
        kept = {line for n, (is_broken, line) in enumerate(order, 1) if n in rejected and is_broken}
        if answers != wanted:
            yield "%s: the tenant %s has other numbers than alone" % (name, ALONE)
        if sum(not order[n - 1][0] for n in rejected) != len(rejected_alone):
            yield "%s: good events were rejected" % name
        if not set(rejected.values()) <= REASONS:
            yield "%s: unknown reasons %s" % (name, set(rejected.values()) - REASONS)
        if name == "in order":
            first = kept
            print("%d broken events, %d rejected: %s" % (count, len(kept), ", ".join(sorted(set(rejected.values())))))
        elif kept != first:
            yield "backwards other events are rejected: %s" % list(kept ^ first)[:3]
        if not count / 10 < len(kept) < count:
            yield "%d of %d broken events rejected: these faults show nothing" % (len(kept), count)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    wrong = list(differences(given.bin, given.seed, given.count))
    print("\n".join(wrong) or "seed %d: nothing lost" % given.seed)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
