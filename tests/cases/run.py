#!/usr/bin/env python3
"""Run stories with known answers through `crm-reportd replay`: as they are, shuffled, and with every event twice.

    run.py --bin PATH-TO-crm-reportd [--filter TEXT] [--quick] [FOLDER of cases, default: this one]

A case is a folder: about (one sentence), events.ndjson, as_of (the clock), queries.ndjson and expected.ndjson (line by line), and
where needed config.json (tenants) and rejected (`line N: code`). Integers and money must be equal, ratios and averages within
1e-9, percentiles within 1 %; of an error the code counts. Exit status 0: every case passed.
"""
import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

COUNT_ARRIVALS = ("duplicate_events", "rejected_events")
RATIOS_OF_MONEY = ("margin", "campaign_roi")
REJECTED = re.compile(r"line (\d+): (\w+)")


def read_lines(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def equal(want, got, query):
    """Do two JSON values agree as far as the query's metric is exact?"""
    if isinstance(want, dict):
        return isinstance(got, dict) and want.keys() == got.keys() and all(equal(want[k], got[k], query) for k in want)
    if isinstance(want, bool) or not isinstance(want, (int, Decimal)):
        return type(want) is type(got) and want == got
    if isinstance(got, bool) or not isinstance(got, (int, Decimal)):
        return False
    if query.get("stat", "").startswith("p"):
        return abs(want - Decimal(got)) <= abs(Decimal(want)) / 100
    return abs(Decimal(want) - Decimal(got)) <= abs(Decimal(want)) * Decimal("1e-9")


def answers_right(query, want, got):
    want, got = json.loads(want, parse_float=Decimal), json.loads(got, parse_float=Decimal)
    if "error" in want:
        return got.get("error", {}).get("code") == want["error"]["code"] and bool(got["error"].get("message"))
    rows = got.get("rows", [])
    if [list(row) for row in want["rows"]] != [list(row) for row in rows]:
        return False
    for a, b in zip(want["rows"], rows):
        money = isinstance(a["value"], dict) and query["metric"] not in RATIOS_OF_MONEY
        if not (a["value"] == b["value"] if money else equal(a["value"], b["value"], query)):
            return False
        if any(a[name] != b[name] for name in a if name != "value"):
            return False
    return True


class Case:
    def __init__(self, folder):
        self.folder, self.name = folder, folder.name
        self.events = [line for line in (folder / "events.ndjson").read_bytes().split(b"\n") if line]
        self.queries = read_lines(folder / "queries.ndjson")
        self.expected = read_lines(folder / "expected.ndjson")
        self.rejected = [(int(m[1]), m[2]) for m in map(REJECTED.match, read_lines(folder / "rejected")) if m]

    def arrangements(self, quick):
        """(name, order: which event stands in which line)"""
        plain = list(range(len(self.events)))
        yield "as they are", plain
        if quick:
            return
        if not (self.folder / "ordered").exists():
            for seed in (11, 12):
                yield "shuffled (%d)" % seed, random.Random(seed).sample(plain, len(plain))
        yield "twice", plain + plain

    def complaints(self, binary, how, order):
        with tempfile.TemporaryDirectory() as tmp:
            events = Path(tmp, "events.ndjson")
            events.write_bytes(b"".join(self.events[n] + b"\n" for n in order))
            argv = [binary, "replay", "--as-of", (self.folder / "as_of").read_text().strip(), "--query", self.folder / "queries.ndjson"]
            if (self.folder / "config.json").exists():
                argv += ["-c", self.folder / "config.json"]
            done = subprocess.run([*map(str, argv), str(events)], capture_output=True, timeout=120, check=False)
        errors, out = done.stderr.decode("utf-8", "replace"), done.stdout.decode("utf-8", "replace").splitlines()
        if done.returncode != (3 if self.rejected else 0):
            yield "exit status %d\n%s" % (done.returncode, errors[-2000:])
        codes = dict(self.rejected)
        want = sorted((line, codes[n + 1]) for line, n in enumerate(order, 1) if n + 1 in codes)
        got = sorted((int(m[1]), m[2]) for m in map(REJECTED.match, errors.splitlines()) if m)
        if want != got:
            yield "rejected: expected %s, got %s" % (sorted(set(want) - set(got)), sorted(set(got) - set(want)))
        if len(out) != len(self.queries):
            yield "%d queries, %d answers" % (len(self.queries), len(out))
        for query, expected, answer in zip(self.queries, self.expected, out):
            asked = json.loads(query)
            if how == "twice" and asked.get("metric") in COUNT_ARRIVALS:
                continue
            if not answers_right(asked, expected, answer):
                yield "query    %s\nexpected %s\ngot      %s" % (query, expected, answer)


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--bin", required=True, type=Path)
    ap.add_argument("--filter", default="")
    ap.add_argument("--quick", action="store_true", help="only as they are")
    ap.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    args = ap.parse_args()
    began, passed, failed = time.monotonic(), 0, 0
    for folder in sorted(path.parent for path in args.folder.glob("*/events.ndjson") if args.filter in path.parent.name):
        case, wrong = Case(folder), []
        if len(case.queries) != len(case.expected) or not case.queries:
            wrong.append("%d queries, %d expected answers" % (len(case.queries), len(case.expected)))
        for how, order in case.arrangements(args.quick):
            wrong += ["%s: %s" % (how, text) for text in case.complaints(args.bin.resolve(), how, order)]
            if wrong:
                break
        passed, failed = passed + (not wrong), failed + bool(wrong)
        if wrong:
            print("FAILED %s: %s" % (case.name, " ".join(read_lines(folder / "about"))))
            print("    " + "\n".join(wrong).replace("\n", "\n    "))
    print("%d passed, %d failed in %.2fs" % (passed, failed, time.monotonic() - began))
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
