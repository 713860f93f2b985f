#!/usr/bin/env python3
"""Two promises about every number. They are what the contract says: a model of its own (tests/model), written from the contract, folds small
random histories and gives the same answers and the same reasons to reject; what stands behind each number (explain) adds up to it. And they are a function of the set of events: replayed in
order, backwards, shuffled, twice, and split over files, every question is answered alike, byte for byte. A failure is shrunk to the fewest
events, attributes and settings that still show it, and printed as a case in the making.

    property.py --bin PATH-TO-crm-reportd [--seeds 100] [--start 1]
"""
import argparse
import concurrent.futures
import copy
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import traceback
from decimal import Decimal
from pathlib import Path

from histories import TENANT, History
from questions import COUNT_ARRIVALS, Questions, metric_names, replay, report_names
from reports import Report

import agree
import explained
from goals import VALUES as GOALS
from metrics import METRICS
from model import Model, line_of
from vocabulary import date

WAYS = ["shuffled", "backwards", "twice", "split"]
REJECTED = re.compile(r"^(?:.*?: )?line (\d+): (\w+)")
REJECTIONS = {"metric": "what is rejected"}  # stands for the comparison of rejected lines


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


def counts_arrivals(query, lines):
    """Does the answer count how often events came? So does what has become of a goal that is set on such a metric."""
    if query["metric"] in GOALS:
        return any('"metric":"%s"' % name in line for line in lines for name in COUNT_ARRIVALS)
    return query["metric"] in COUNT_ARRIVALS


class Trial:
    """One history, asked in every way. `differs` says how one way's answers differ from what they should be."""

    def __init__(self, binary, seed, kinds=None):
        self.binary, self.seed, self.history = binary, seed, History(seed, kinds)
        self.lines, self.settings, self.as_of = self.history.lines, self.history.settings, self.history.as_of
        tenants = self.settings["tenants"]
        custom = (tenants.get("default", {}) | tenants[TENANT]).get("custom", {})
        days = [date(at + shift) for at in self.history.instants + [self.history.clock] for shift in (0, 43200)]
        self.queries = list(Questions(random.Random(seed), TENANT, custom, days).all())
        self.kept, self.seen = {}, set()

    def run(self, lines, way, queries, asking="--query"):
        """(answers, rejections) of the daemon."""
        with tempfile.TemporaryDirectory() as tmp:
            files = []
            for n, part in enumerate(arranged(way, lines, self.seed)):
                files.append(Path(tmp, "%d.ndjson" % n))
                files[-1].write_text("".join(line + "\n" for line in part), encoding="utf-8")
            code, got, err = replay(self.binary, self.as_of, self.settings, queries, files, asking=asking)
        rejected = sorted((int(m[1]), m[2]) for m in map(REJECTED.match, err.splitlines()) if m)
        if code != (3 if rejected else 0) or len(got) != len(queries):
            return ["exit code %s, %d answers to %d queries: %s" % (code, len(got), len(queries), err[-3000:])] * len(queries), rejected
        return got, rejected

    def in_order(self, lines, queries):
        if lines is not self.lines or queries is not self.queries:
            return self.run(lines, "in order", queries)
        if "in order" not in self.kept:
            self.kept["in order"] = self.run(lines, "in order", queries)
        return self.kept["in order"]

    def differs(self, lines, way, queries):
        """(query, what it should be, what it is), or None."""
        if way == "model":
            return self.differs_from_model(lines, queries)
        if way == "report":
            return self.differs_in_report(lines)
        if way == "explained":
            return self.differs_from_entities(lines, queries)
        plain, other = self.in_order(lines, queries)[0], self.run(lines, way, queries)[0]
        for query, a, b in zip(queries, plain, other):
            if (a != b or a.startswith("exit code")) and not (way == "twice" and counts_arrivals(query, lines)):
                return query, a, b
        return None

    def differs_from_model(self, lines, queries):
        model = Model([line.encode() for line in lines], self.settings, self.as_of)
        asked = [query for query in queries if query is not REJECTIONS] if REJECTIONS in queries else queries
        answers, rejected = self.in_order(lines, asked)
        if rejected != model.rejected and (len(asked) < len(queries) or lines is self.lines):
            return REJECTIONS, str(sorted(set(model.rejected) - set(rejected))), str(sorted(set(rejected) - set(model.rejected)))
        for query, got in zip(asked, answers):
            want = model.answer(query)
            if any(row["value"] not in (0, None, {}) for row in want.get("rows", [])):
                self.seen.add(query["metric"])
            if not agree.right(query, want, got):
                return query, line_of(want), got
        return None

    def differs_in_report(self, lines):
        """One report of the tenant, another one for each seed."""
        reports = report_names()
        name = reports[self.seed % len(reports)]
        with tempfile.TemporaryDirectory() as tmp:
            Path(tmp, "config.json").write_text(json.dumps(self.settings), encoding="utf-8")
            Path(tmp, "events.ndjson").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
            done = subprocess.run([self.binary, "replay", "--as-of", self.as_of, "-c", Path(tmp, "config.json"), "--report", name, Path(tmp, "events.ndjson")],
                                  capture_output=True, timeout=300, check=False)
        documents = [json.loads(line, parse_float=Decimal) for line in done.stdout.decode().splitlines()]
        model = Model([line.encode() for line in lines], self.settings, self.as_of)
        for document in documents:
            if document["tenant"] == TENANT:
                found = Report(model, document).differs()
                return found and ({"report": name, "figure": found[0]}, *found[1:])
        return {"report": name}, "a document", "none: " + done.stderr.decode()[-500:]
    def differs_from_entities(self, lines, queries):
        plain, told = self.in_order(lines, queries)[0], self.run(lines, "in order", queries, "--explain")[0]
        for query, a, b in zip(queries, plain, told):
            wrong = explained.differs(query, a, b)
            if wrong:
                return query, a, "%s\n         %s" % (b, wrong)
        some, limit = slice(0, None, 5), 1 + self.seed % 7
        limited = self.run(lines, "in order", [{**query, "limit": limit} for query in queries[some]], "--explain")[0]
        for query, few, whole in zip(queries[some], limited, told[some]):
            wrong = explained.differs_when_limited(few, whole, limit)
            if wrong:
                return query, whole, "%s\n         %s, limit %d" % (few, wrong, limit)
        return None

    # --- shrinking ---
    def still(self, way, query, lines):
        found = self.differs(lines, way, [query])
        return found is not None and not found[2].startswith("exit code")

    def fewest(self, way, query):
        """The fewest lines found by dropping halves, quarters … single lines while the query still differs."""
        lines, size = self.lines, max(1, len(self.lines) // 2)
        while True:
            at, dropped = 0, False
            while at < len(lines):
                fewer = lines[:at] + lines[at + size:]
                if fewer and self.still(way, query, fewer):
                    lines, dropped = fewer, True
                else:
                    at += size
            if size == 1 and not dropped:
                return lines
            size = max(1, size // 2)

    def simplest(self, way, query, lines):
        """The same lines without the attributes that do not matter, and the settings without theirs."""
        for n, line in enumerate(lines):
            for path in (["sequence"], *[["data", name] for name in data_of(line)]):
                fewer = lines[:n] + [without(lines[n], path)] + lines[n + 1:]
                if self.still(way, query, fewer):
                    lines = fewer
        for tenant in list(self.settings["tenants"]):
            for name in list(self.settings["tenants"][tenant]):
                before, self.settings = self.settings, copy.deepcopy(self.settings)
                del self.settings["tenants"][tenant][name]
                if not self.still(way, query, lines):
                    self.settings = before
        return lines

    def report(self, way, query):
        small = self.fewest(way, query)
        fewest = len(small)
        small = self.simplest(way, query, small)
        _, want, got = self.differs(small, way, [query]) or (query, "(gone)", "(gone)")
        order = ["file %d: events %s" % (n, " ".join(str(small.index(line) + 1) for line in part))
                 for n, part in enumerate(arranged(way, small, self.seed), 1) if way in WAYS]
        return "\n".join(["seed %d, %s: %d of %d events show it" % (self.seed, way, fewest, len(self.lines)), "as_of    " + self.as_of,
                          "config   " + json.dumps(self.settings), *small, *order, "query    " + json.dumps(query), "expected " + want, "got      " + got])


def data_of(line):
    try:
        return list(json.loads(line)["data"])
    except (ValueError, KeyError, TypeError):
        return []


def without(line, path):
    try:
        event = json.loads(line)
        (event["data"] if len(path) > 1 else event).pop(path[-1], None)
    except (ValueError, KeyError, TypeError, AttributeError):
        return line
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def check(binary, seed, ways, kinds):
    """(the report of a counter-example or None, the metrics that had a value other than nothing)"""
    trial = Trial(binary, seed, kinds)
    try:
        return search(trial, ways), trial.seen
    except Exception:  # the model's own mistake: as bad as a difference
        return "seed %d\n%s" % (seed, traceback.format_exc()), trial.seen


def search(trial, ways):
    for way in ways:
        if way in WAYS and trial.history.ordered:
            continue
        found = trial.differs(trial.lines, way, trial.queries)
        if found:
            return trial.report(way, found[0])
    return None


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--bin", required=True, type=Path)
    ap.add_argument("--seeds", type=int, default=100)
    ap.add_argument("--start", type=int, default=1)
    ap.add_argument("--jobs", type=int, default=os.cpu_count())
    ap.add_argument("--ways", type=lambda text: text.split(","), default=["model", "report", "explained"] + WAYS)
    ap.add_argument("--kinds", type=lambda text: text.split(","), help="only events of these kinds")
    ap.add_argument("--keep-going", action="store_true", help="do not stop at the first counter-example")
    args = ap.parse_args()
    unknown = set(metric_names()) ^ (METRICS.keys() | GOALS.keys())
    if unknown:
        sys.exit("metrics that only one of config/catalogue.json and tests/model knows: " + ", ".join(sorted(unknown)))
    began, failed, done, seen = time.monotonic(), 0, 0, set()
    with concurrent.futures.ProcessPoolExecutor(args.jobs) as pool:
        waiting = [pool.submit(check, args.bin, seed, args.ways, args.kinds) for seed in range(args.start, args.start + args.seeds)]
        for result in concurrent.futures.as_completed(waiting):
            done += 1
            report, metrics = result.result()
            seen |= metrics
            if report:
                failed += 1
                print(report + "\n", flush=True)
                if not args.keep_going:
                    pool.shutdown(wait=False, cancel_futures=True)
                    break  # those cancelled never come
    print("%d passed, %d failed in %.2fs" % (done - failed, failed, time.monotonic() - began))
    never = (METRICS.keys() | GOALS.keys()) - seen if "model" in args.ways and not args.kinds and not failed else set()
    if never and done >= 100:
        print("never had a value in all these histories: " + ", ".join(sorted(never)))
    sys.exit(1 if failed or not done or (never and done >= 100) else 0)


if __name__ == "__main__":
    main()
