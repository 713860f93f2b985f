#!/usr/bin/env python3
"""Two promises about every number. The answers are a function of the set of events: small random histories are replayed in order,
backwards, shuffled, twice, and split over files; every question must be answered alike, byte for byte. And they are what the contract
says: a second, naive reading of it (model/oracle.py) counts the same. A failure is shrunk to the fewest events that still show it.

    property.py --bin PATH-TO-crm-reportd [--seeds 100] [--start 1]
"""
import argparse
import concurrent.futures
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from histories import TENANT, History, lines_of
from questions import COUNT_ARRIVALS, Questions, replay

import oracle
from vocabulary import date

WAYS = ["shuffled", "backwards", "twice", "split"]


def arranged(way, lines, seed):
    """The files (lists of lines) in which the events arrive. Depends on each line alone, so that it stays when others are dropped."""
    def rank(line):
        return random.Random("%s %s" % (seed, line)).random()
    if way == "backwards":
        return [lines[::-1]]
    if way == "shuffled":
        return [sorted(lines, key=rank)]
    if way == "twice":
        return [lines + sorted(lines, key=rank)]
    if way == "split":
        files = [[line for line in lines if int(rank(line) * 1000) % 3 == part] for part in range(3)]
        random.Random(seed).shuffle(files)
        return files
    return [lines]


class Trial:
    """One history, asked in every way. `differs` says how one way's answers differ from what they should be."""

    def __init__(self, binary, questions, seed, kinds=None):
        self.binary, self.seed, self.history = binary, seed, History(seed, kinds)
        self.lines = lines_of(self.history.events)
        days = [date(at) for at in self.history.instants] + [date(self.history.clock)]
        self.queries = questions.all(TENANT, random.Random(seed), days)
        self.told = list(questions.oracle_knows(TENANT, date(self.history.clock)))

    def answers(self, lines, way, queries):
        with tempfile.TemporaryDirectory() as tmp:
            files = []
            for n, part in enumerate(arranged(way, lines, self.seed)):
                files.append(Path(tmp, "%d.ndjson" % n))
                files[-1].write_text("".join(line + "\n" for line in part), encoding="utf-8")
            code, got, err = replay(self.binary, self.history.as_of, self.history.settings, queries, files)
        if code not in (0, 3) or len(got) != len(queries):
            return ["exit code %s, %d answers to %d queries: %s" % (code, len(got), len(queries), err[-3000:])] * len(queries)
        return got

    def differs(self, lines, way, queries):
        """(query, what it should be, what it is), or None."""
        if way == "oracle":
            return self.differs_from_oracle(lines, queries)
        plain, other = self.answers(lines, "in order", queries), self.answers(lines, way, queries)
        for query, a, b in zip(queries, plain, other):
            if (a != b or a.startswith("exit code")) and not (way == "twice" and query["metric"] in COUNT_ARRIVALS):
                return query, a, b
        return None

    def differs_from_oracle(self, lines, queries):
        ahead = oracle.micros(self.history.as_of) + 600_000_000
        events = [event for event in map(json.loads, lines) if "time" not in event or oracle.micros(event["time"]) <= ahead]
        told = oracle.Oracle(events, self.history.settings["tenants"][TENANT], self.history.as_of)
        for query, got in zip(queries, self.answers(lines, "in order", queries)):
            by = query.get("by", [])
            want = oracle.answer(told, query["metric"], by, query.get("to"))
            wrong = got if not got.startswith("{") else oracle.compare(want, oracle.parse(got).get("rows", []), by)
            if wrong and oracle.knows(told, query["metric"], by):
                return query, wrong, got
        return None

    def fewest(self, way, query):
        """The fewest lines found by dropping halves, quarters … single lines while the query still differs."""
        lines, size = self.lines, max(1, len(self.lines) // 2)
        while True:
            at, dropped = 0, False
            while at < len(lines):
                fewer = lines[:at] + lines[at + size:]
                if fewer and self.differs(fewer, way, [query]):
                    lines, dropped = fewer, True
                else:
                    at += size
            if size == 1 and not dropped:
                return lines
            size = max(1, size // 2)

    def report(self, way, query):
        small = self.fewest(way, query)
        _, want, got = self.differs(small, way, [query]) or (query, "(gone)", "(gone)")
        order = ["file %d: events %s" % (n, " ".join(str(small.index(line) + 1) for line in part))
                 for n, part in enumerate(arranged(way, small, self.seed), 1) if way != "oracle"]
        return "\n".join(["seed %d, %s: %d of %d events show it" % (self.seed, way, len(small), len(self.lines)),
                          "as_of    " + self.history.as_of, "settings " + json.dumps(self.history.settings), *small, *order,
                          "query    " + json.dumps(query), "want     " + want, "got      " + got])


def check(binary, questions, seed, ways, kinds):
    """None, or the report of a counter-example."""
    trial = Trial(binary, questions, seed, kinds)
    for way in ways:
        found = trial.differs(trial.lines, way, trial.told if way == "oracle" else trial.queries)
        if found:
            return trial.report(way, found[0])
    return None


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--bin", required=True, type=Path)
    ap.add_argument("--seeds", type=int, default=100)
    ap.add_argument("--start", type=int, default=1)
    ap.add_argument("--jobs", type=int, default=os.cpu_count())
    ap.add_argument("--ways", type=lambda text: text.split(","), default=["oracle"] + WAYS)
    ap.add_argument("--kinds", type=lambda text: text.split(","), help="only events of these kinds")
    ap.add_argument("--keep-going", action="store_true", help="do not stop at the first counter-example")
    args = ap.parse_args()
    began, failed, done = time.monotonic(), 0, 0
    questions = Questions(args.bin)
    with concurrent.futures.ProcessPoolExecutor(args.jobs) as pool:
        waiting = [pool.submit(check, args.bin, questions, seed, args.ways, args.kinds) for seed in range(args.start, args.start + args.seeds)]
        for result in concurrent.futures.as_completed(waiting):
            if result.cancelled():
                continue
            done += 1
            if result.result():
                failed += 1
                print(result.result() + "\n", flush=True)
                if not args.keep_going:
                    pool.shutdown(wait=False, cancel_futures=True)
    print("%d passed, %d failed in %.2fs" % (done - failed, failed, time.monotonic() - began))
    sys.exit(1 if failed or not done else 0)


if __name__ == "__main__":
    main()
