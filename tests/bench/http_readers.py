#!/usr/bin/env python3
"""What readers over HTTP cost the main job: catching up with all events (as in bench.py, the whole catalogue, reports published) in turn
without anybody, and with open streams and requests at a steady rate. Prints Markdown.

    http_readers.py --bin build-tests/release/crm-reportd --rounds 5
"""
import argparse
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import throughput
from load import load, read_once
from machine import TREE, MeasuredKafka
from servers import free_port
from stream import Topics

# of the daemon's threads by name: what is the main job's, what the readers'
PARTS = {"worker": ["worker"], "publisher": ["publisher"], "HTTP": ["http", "http-clerk", "http-listener"]}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, required=True, help="the daemon; http_load lies beside it")
    parser.add_argument("--events", type=int, default=300000)
    parser.add_argument("--tenants", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rate", type=int, default=1000, help="requests per second")
    parser.add_argument("--queries", type=int, default=50, help="a query every so many requests (0: none); the others are reports, with If-None-Match")
    parser.add_argument("--catalogue", choices=["full", "three"], default="full")
    return parser.parse_args()


class Readers:
    """The load in a process of its own, while a run goes on."""

    def __init__(self, args, port, tenants):
        self.argv = [str(args.bin.parent / "http_load"), str(port), str(args.streams), str(args.rate), str(args.queries), *tenants]

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=30)
        self.result = json.loads(out.splitlines()[-1]) if out.strip() else None


def rounds(args, folder, kafka, topics, tenants):
    """[(row without readers, row with them, what they saw)]; in turn, each time the other one first."""
    found = []
    for n in range(args.rounds):
        pair = {}
        for read in (bool(n % 2), not n % 2):
            port = free_port()
            place = folder / ("run%d%s" % (n, "r" if read else ""))
            place.mkdir()
            run = lambda: throughput.run(args.bin, place, kafka, topics, tenants, args.catalogue, True, None, listen="127.0.0.1:%d" % port)
            if read:
                with Readers(args, port, tenants) as readers:
                    pair[read] = run()
                seen = readers.result
                print(json.dumps(seen), file=sys.stderr)
            else:
                pair[read] = run()
            print("round %d, %s readers: %.0f events/s" % (n + 1, "with" if read else "without", pair[read]["steady"]), file=sys.stderr)
        found.append((pair[False], pair[True], seen))
    return found


def part(row, name):
    """Microseconds of the processor per event."""
    return sum(row["threads"].get(thread, 0) for thread in PARTS[name]) * 1e6 / row["events"]


def per_event(row, key):
    return row[key] * 1e6 / row["events"]


FIGURES = [("events per second", lambda row: row["steady"], "%.0f"), ("worker, µs/event", lambda row: part(row, "worker"), "%.2f"),
           ("publisher, µs/event", lambda row: part(row, "publisher"), "%.2f"), ("HTTP threads, µs/event", lambda row: part(row, "HTTP"), "%.2f"),
           ("Redis, µs/event", lambda row: per_event(row, "redis_cpu"), "%.2f"),
           ("GETs of Redis per second", lambda row: row["calls"]["get"][0] / row["wall"], "%.1f")]


def markdown(args, found):
    print("%d events, %d tenants; %d streams, %d requests/s%s" % (
        args.events, args.tenants, args.streams, args.rate, ", each %dth a query" % args.queries if args.queries else ""))
    print("\n| figure, median of %d rounds | nobody | readers | median of the ratios (least–most) |\n|---|---|---|---|" % len(found))
    for name, of, form in FIGURES:
        alone, read = [of(row) for row, _, _ in found], [of(row) for _, row, _ in found]
        ratios = [b / a for a, b in zip(alone, read) if a]
        print("| %s | %s | %s | %s |" % (name, form % median(alone), form % median(read), "**%.3f** (%.3f–%.3f)" % (median(ratios), min(ratios), max(ratios)) if ratios else ""))
    for key, form in (("answered_per_s", "%.0f answered per second"), ("p50_ms", "p50 %.1f ms"), ("p99_ms", "p99 %.1f ms"), ("events", "%d events of streams"), ("cpu", "%.1f CPU s of the readers")):
        print(form % median(seen[key] for _, _, seen in found), end="; ")
    print("statuses", json.dumps(found[-1][2]["statuses"]))


def main():
    args = arguments()
    args.bin = args.bin.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = folder / "events.tsv"
        subprocess.run([sys.executable, str(TREE / "tests" / "model" / "generate.py"), "--events", str(args.events), "--tenants", str(args.tenants),
                        "--seed", "7", "--out", str(lines)], check=True)
        kafka = MeasuredKafka(folder / "kafka")
        kafka.broker("install")
        kafka.start()
        try:
            topics = Topics(kafka, "crm")
            tenants = load(kafka.address, lines)
            read_once(kafka.address, topics.into, sum(topics.ends(topics.into).values()))
            markdown(args, rounds(args, folder, kafka, topics, tenants))
        finally:
            kafka.kill()


if __name__ == "__main__":
    main()
