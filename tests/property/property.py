#!/usr/bin/env python3
"""The one promise behind every number: the answers are a function of the set of events. Small random histories are replayed in
order, shuffled, twice, and split over files; every question must be answered alike, byte for byte. A failure is shrunk to the
fewest events that still show it.

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
from vocabulary import date

WAYS = ["shuffled", "backwards", "twice", "split"]


def arranged(way, lines, seed):
    """The files (lists of lines) in which the events arrive. Depends on each line alone, so that it stays when others are dropped."""
    def rank(line):
        return random.Random("%s %s" % (seed, line)).random()
    if way == "in order":
        return [lines]
    if way == "backwards":
        return [lines[::-1]]
    if way == "shuffled":
        return [sorted(lines, key=rank)]
    if way == "twice":
        return [lines + sorted(lines, key=rank)]
    files = [[line for line in lines if int(rank(line) * 1000) % 3 == part] for part in range(3)]
    random.Random(seed).shuffle(files)
    return files


def answers(binary, history, lines, way, seed, queries):
    with tempfile.TemporaryDirectory() as tmp:
        files = []
        for n, part in enumerate(arranged(way, lines, seed)):
            files.append(Path(tmp, "%d.ndjson" % n))
            files[-1].write_text("".join(line + "\n" for line in part), encoding="utf-8")
        code, got, err = replay(binary, history.as_of, history.settings, queries, files)
    if code not in (0, 3) or len(got) != len(queries):
        return ["exit code %s, %d answers to %d queries: %s" % (code, len(got), len(queries), err[-3000:])] * len(queries)
    return got


def difference(binary, history, lines, way, seed, queries):
    """The first (query, answer in order, answer another way) that differs, or None."""
    plain = answers(binary, history, lines, "in order", seed, queries)
    other = answers(binary, history, lines, way, seed, queries)
    return first_difference(way, queries, plain, other)


def first_difference(way, queries, plain, other):
    for query, a, b in zip(queries, plain, other):
        if way == "twice" and query["metric"] in COUNT_ARRIVALS:
            continue
        if a != b or a.startswith("exit code"):
            return query, a, b
    return None


def shrink(binary, history, lines, way, seed, query):
    """The fewest lines found by dropping halves, quarters … single lines while the query still differs."""
    size = max(1, len(lines) // 2)
    while True:
        at, dropped = 0, False
        while at < len(lines):
            fewer = lines[:at] + lines[at + size:]
            if fewer and difference(binary, history, fewer, way, seed, [query]):
                lines, dropped = fewer, True
            else:
                at += size
        if size == 1 and not dropped:
            return lines
        size = max(1, size // 2)


def check(binary, questions, seed):
    """None, or the report of a counter-example."""
    history = History(seed)
    days = [date(at) for at in history.instants] + [date(history.clock)]
    queries = questions.all(TENANT, random.Random(seed), days)
    lines = lines_of(history.events)
    plain = answers(binary, history, lines, "in order", seed, queries)
    for way in WAYS:
        found = first_difference(way, queries, plain, answers(binary, history, lines, way, seed, queries))
        if found:
            return report(binary, history, lines, way, seed, found[0])
    return None


def report(binary, history, lines, way, seed, query):
    small = shrink(binary, history, lines, way, seed, query)
    found = difference(binary, history, small, way, seed, [query]) or (query, "(gone)", "(gone)")
    parts = arranged(way, small, seed)
    return "\n".join(["seed %d: %s differs from in order; %d of %d events show it" % (seed, way, len(small), len(lines)),
                      "as_of    " + history.as_of, "settings " + json.dumps(history.settings), "events"] + small +
                     ["%s: file %d: %s" % (way, n, " ".join(str(small.index(line) + 1) for line in part)) for n, part in enumerate(parts, 1)] +
                     ["query    " + json.dumps(query), "in order " + found[1], "%-8s %s" % (way, found[2])])


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--bin", required=True, type=Path)
    ap.add_argument("--seeds", type=int, default=100)
    ap.add_argument("--start", type=int, default=1)
    ap.add_argument("--jobs", type=int, default=os.cpu_count())
    ap.add_argument("--keep-going", action="store_true", help="do not stop at the first counter-example")
    args = ap.parse_args()
    began, failed, done = time.monotonic(), 0, 0
    questions = Questions(args.bin)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        waiting = [pool.submit(check, args.bin, questions, seed) for seed in range(args.start, args.start + args.seeds)]
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
