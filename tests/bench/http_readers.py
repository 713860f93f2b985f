#!/usr/bin/env python3
"""What readers over HTTP cost the main job: while the daemon catches up with all events (the whole catalogue, reports published) they come and
go, every few seconds; a time with them is compared with those right before and after it. Prints Markdown.

    http_readers.py --bin build-tests/release/crm-reportd --events 1500000
"""
import argparse
import contextlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import throughput
from load import load, read_once
from machine import TREE, MeasuredDaemon, MeasuredKafka, MeasuredRedis
from servers import free_port, wait_until
from stream import Topics

HTTP = ("http", "http-clerk", "http-listener")  # names of threads
WARM_UP_S, SETTLE_S = 3.0, 0.8
RESAMPLES = 2000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, required=True, help="the daemon; http_load lies beside it")
    parser.add_argument("--events", type=int, default=1500000)
    parser.add_argument("--tenants", type=int, default=20)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each time with and without readers")
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rate", type=int, default=1000, help="requests per second")
    parser.add_argument("--queries", type=int, default=0, help="a query every so many requests (0: none); the others are reports, with If-None-Match")
    parser.add_argument("--aof", action="store_true", help="Redis with an append-only file: as in earnest, but the disk has its moods")
    return parser.parse_args()


class Readers:
    """The load, a process of its own."""

    def __init__(self, args, port, tenants):
        self.process = subprocess.Popen([str(args.bin.parent / "http_load"), *map(str, (port, args.streams, args.rate, args.queries)), *tenants],
                                        stdout=subprocess.PIPE, text=True)

    def turn(self):
        """They come, or go again."""
        self.process.send_signal(signal.SIGUSR1)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return json.loads(self.process.communicate(timeout=30)[0])


class Run:
    """A daemon catching up."""

    def __init__(self, args, folder, kafka, topics, tenants):
        self.args, self.tenants, self.port = args, tenants, free_port()
        self.ends = sum(topics.ends(topics.into).values())
        self.redis = MeasuredRedis(folder / "redis", args.aof)
        self.redis.start()
        self.daemon = MeasuredDaemon(args.bin, folder / "daemon",
                                     throughput.configure(kafka, topics, self.redis, folder.name, "full", listen="127.0.0.1:%d" % self.port), throughput.CLOCK)

    def look(self):
        """What is compared, as it stands now: {name: amount}"""
        self.daemon.alive()
        threads = self.daemon.threads()
        return {"events": sum(throughput.counted(self.redis, self.tenants).values()), "seconds": time.monotonic(), "worker": threads["worker"],
                "publisher": threads["publisher"], "HTTP": sum(threads.get(name, 0) for name in HTTP), "Redis": self.redis.cpu(),
                "MGETs": self.redis.calls()["mget"][0]}

    def stretch(self):
        """What happened in the next seconds; None when all events are counted before they are over."""
        time.sleep(SETTLE_S)
        before = self.look()
        time.sleep(self.args.seconds)
        after = self.look()
        if after["events"] >= self.ends:
            return None
        assert after["events"] > before["events"], "nothing was counted for %g s: the machine is too busy" % self.args.seconds
        return {name: after[name] - before[name] for name in after}

    def stretches(self):
        """([without readers, with, without, …], what the readers saw)"""
        found = []
        self.daemon.start()
        wait_until(lambda: self.daemon.alive() and len(throughput.counted(self.redis, self.tenants)) > 0 and self.redis.client.scard("crm:tenants") == len(self.tenants),
                   "every tenant is known", 60)
        time.sleep(WARM_UP_S)
        readers = Readers(self.args, self.port, self.tenants)
        while (one := self.stretch()) is not None:
            found.append(one)
            print("%s: %.0f events/s" % (("without", "with")[(len(found) - 1) % 2], rate(one)), file=sys.stderr)
            readers.turn()
        return found, readers.end()

    def close(self):
        self.daemon.kill()
        self.redis.kill()


def rate(row):
    return row["events"] / row["seconds"]


def cost(name):
    """Microseconds of the processor per event."""
    return lambda row: row[name] * 1e6 / row["events"]


FIGURES = [("events per second", rate, "%.0f"), ("worker, µs per event", cost("worker"), "%.2f"), ("publisher, µs per event", cost("publisher"), "%.2f"),
           ("Redis, µs per event", cost("Redis"), "%.2f"), ("HTTP threads, cores", lambda row: row["HTTP"] / row["seconds"], "%.3f"),
           ("MGETs of Redis per second", lambda row: row["MGETs"] / row["seconds"], "%.0f")]

COMPARED = [name for name, _, _ in FIGURES[:4]]


def triples(runs):
    """(before, with readers, after) of all runs."""
    return [(found[i - 1], found[i], found[i + 1]) for found, _ in runs for i in range(1, len(found) - 1, 2)]


def spread(values, seed=1):
    """(2.5 %, 97.5 %) of the median when the times are drawn again and again."""
    rng = random.Random(seed)
    drawn = sorted(median(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return drawn[RESAMPLES // 40], drawn[-RESAMPLES // 40]


def markdown(args, runs):
    times = triples(runs)
    print("%d events, %d tenants, %d times of %g s with %d streams and %d requests/s%s" % (
        args.events, args.tenants, len(times), args.seconds, args.streams, args.rate, ", each %dth a query" % args.queries if args.queries else ""))
    print("\n| median | nobody | readers | median of the ratios (95 %) |\n|---|---|---|---|")
    for name, of, form in FIGURES:
        ratios = [of(read) / ((of(before) + of(after)) / 2) for before, read, after in times if of(before) + of(after)]
        told = "%.3f (%.3f–%.3f)" % (median(ratios), *spread(ratios)) if ratios and name in COMPARED else ""
        print("| %s | %s | %s | %s |" % (name, form % median(of(b) for b, _, _ in times), form % median(of(r) for _, r, _ in times), told))
    for _, seen in runs:
        print("\nreaders:", json.dumps(seen))


@contextlib.contextmanager
def loaded_broker(args, folder):
    """(broker, topics, tenants), all events in the topics and read once."""
    lines = folder / "events.tsv"
    subprocess.run([sys.executable, str(TREE / "tests" / "model" / "generate.py"), "--events", str(args.events), "--tenants", str(args.tenants),
                    "--seed", "7", "--out", str(lines)], check=True)
    kafka = MeasuredKafka(folder / "kafka")
    kafka.broker("install")
    kafka.start()
    try:
        topics = Topics(kafka, "crm")
        tenants, _ = load(kafka.address, lines)
        read_once(kafka.address, topics.into, sum(topics.ends(topics.into).values()))
        yield kafka, topics, tenants
    finally:
        kafka.kill()


def main():
    args = arguments()
    args.bin = args.bin.resolve()
    runs = []
    with tempfile.TemporaryDirectory() as name, loaded_broker(args, Path(name)) as (kafka, topics, tenants):
        for n in range(args.runs):
            place = Path(name) / ("run%d" % n)
            place.mkdir()
            run = Run(args, place, kafka, topics, tenants)
            try:
                runs.append(run.stretches())
            finally:
                run.close()
    markdown(args, runs)


if __name__ == "__main__":
    main()
