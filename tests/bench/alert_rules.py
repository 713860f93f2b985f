#!/usr/bin/env python3
"""What alert rules cost: catching up with all events in turn with no rule, with 10 and with 100 of them. Prints Markdown.

    alert_rules.py --bin build-tests/release/crm-reportd --rounds 3
"""
import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

import throughput
from http_readers import loaded_broker

NUMBERS = (0, 10, 100)
WATCHED = [{"metric": "open_cases", "period": "today", "by": ["priority"], "above": 50}, {"metric": "revenue", "period": "this_month", "by": ["owner"], "above": 100000},
           {"metric": "conversion_rate", "period": "last_30_days", "by": ["source"], "below": 0.1, "for": "1h"},
           {"metric": "resolution_time", "stat": "p90", "period": "this_week", "above": 24, "clear": 20},
           {"metric": "leads", "period": "this_week", "change_below": -0.2}]


def rules(n):
    """Of five sorts in turn, each with a threshold of its own."""
    chosen = [dict(WATCHED[i % len(WATCHED)], name="rule%d" % i) for i in range(n)]
    for i, rule in enumerate(chosen):
        for key in ("above", "below"):
            if key in rule:
                rule[key] = round(rule[key] * (1 + i / 1000), 6)
    return chosen


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--events", type=int, default=300000)
    parser.add_argument("--tenants", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def measured(args, folder, kafka, topics, tenants):
    """{number of rules: rows}"""
    found = {n: [] for n in NUMBERS}
    for turn in range(args.rounds):
        for n in NUMBERS if turn % 2 else reversed(NUMBERS):
            place = folder / ("run%d-%d" % (turn, n))
            place.mkdir()
            found[n].append(throughput.run(args.bin, place, kafka, topics, tenants, set(), "full", False, None, alerts=rules(n)))
            print("round %d, %d rules: %.0f events/s" % (turn + 1, n, found[n][-1]["steady"]), file=sys.stderr)
    return found


def main():
    args = arguments()
    args.bin = args.bin.resolve()
    with tempfile.TemporaryDirectory() as name, loaded_broker(args, Path(name)) as (kafka, topics, tenants):
        found = measured(args, Path(name), kafka, topics, tenants)
    print("%d events, %d tenants, median of %d rounds\n\n| rules | events/s | CPU µs per event, daemon | ratio to none | CPU µs per event, Redis |\n|---|---|---|---|---|" % (
        args.events, args.tenants, args.rounds))
    cost = lambda row: row["cpu"] * 1e6 / row["events"]
    for n, rows in found.items():
        print("| %d | %.0f | %.1f | %.3f | %.1f |" % (n, median(row["steady"] for row in rows), median(map(cost, rows)),
                                                   median(cost(row) / cost(none) for row, none in zip(rows, found[0])),
                                                   median(row["redis_cpu"] * 1e6 / row["events"] for row in rows)))


if __name__ == "__main__":
    main()
