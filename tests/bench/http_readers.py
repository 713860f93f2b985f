#!/usr/bin/env python3
"""What readers over HTTP cost the main job: catching up with all events (as in bench.py, the whole catalogue, reports published) in turn
without anybody, and with open streams and requests at a steady rate. Prints Markdown.

    http_readers.py --bin build/crm-reportd --rounds 5
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
from machine import BENCH, TREE, MeasuredKafka
from servers import free_port
from stream import Topics


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--events", type=int, default=300000)
    parser.add_argument("--tenants", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rate", type=int, default=1000, help="requests per second")
    parser.add_argument("--queries", type=float, default=0.02, help="share of them that are queries; the others are reports, with If-None-Match")
    return parser.parse_args()


class Readers:
    """The load in a process of its own, while a run goes on."""

    def __init__(self, args, port, tenants):
        self.argv = [sys.executable, str(BENCH / "http_load.py"), str(port), str(args.streams), str(args.rate), str(args.queries), *tenants]

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
            run = lambda: throughput.run(args.bin, place, kafka, topics, tenants, "full", True, None, listen="127.0.0.1:%d" % port)
            if read:
                with Readers(args, port, tenants) as readers:
                    pair[read] = run()
                seen = readers.result
            else:
                pair[read] = run()
            print("round %d, %s readers: %.0f events/s" % (n + 1, "with" if read else "without", pair[read]["rate"]), file=sys.stderr)
        found.append((pair[False], pair[True], seen))
    return found


def markdown(args, found):
    print("%d events, %d tenants, %d streams, %d requests/s of which %g %% queries; events per second" % (args.events, args.tenants, args.streams, args.rate, args.queries * 100))
    print("\n| round | nobody | readers | ratio | answered/s | p50 ms | p99 ms | hints | daemon CPU s | Redis CPU s | readers' CPU s |\n|---|---|---|---|---|---|---|---|---|---|---|")
    for n, (alone, read, seen) in enumerate(found):
        print("| %d | %.0f | %.0f | %.3f | %.0f | %.1f | %.1f | %d | %.2f → %.2f | %.2f → %.2f | %.1f |" % (
            n + 1, alone["rate"], read["rate"], read["rate"] / alone["rate"], seen["answered_per_s"], seen["p50_ms"], seen["p99_ms"], seen["events"],
            alone["cpu"], read["cpu"], alone["redis_cpu"], read["redis_cpu"], seen["cpu"]))
    print("\nmedian of the ratios: **%.3f**; of the medians: **%.3f**" % (
        median(read["rate"] / alone["rate"] for alone, read, _ in found), median(read["rate"] for _, read, _ in found) / median(alone["rate"] for alone, _, _ in found)))
    print("CPU seconds of daemon and Redis together, median of the ratios: **%.3f** (what is left where the machine is busy with other things)" % (
        median((read["cpu"] + read["redis_cpu"]) / (alone["cpu"] + alone["redis_cpu"]) for alone, read, _ in found)))
    print("statuses:", found[-1][2]["statuses"])


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
