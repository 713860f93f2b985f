#!/usr/bin/env python3
"""Measures crm-reportd with a real Kafka broker and a private Redis; README.md says what, and how to read it. Prints Markdown.

    bench.py --bin build/crm-reportd                      catching up, freshness, and replay of a file
    bench.py --bin build/crm-reportd --repeat 3 catchup   one of them
"""
import argparse
import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import freshness
import growth
import latency
import many
import plot
import profiles
import replaying
import stages
import throughput
from load import load, read_once
from machine import BENCH, TREE, MeasuredKafka
from peers import Peers
from stream import Topics
from table import CATCHUP, FRESHNESS, GROWTH, KINDS, LATENCY, MANY, REPLAY, TOPICS, markdown

# name -> catalogue, append-only file, settings
OURS = {"three": ("three", False, {}), "three-aof": ("three", True, {}),
        "full": ("full", False, {}), "full-aof": ("full", True, {})}


def words(text):
    return [word for word in text.split(",") if word]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", metavar="catchup|freshness|replay|growth|kinds|stages|many|latency", help="default: the first three")
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--events", type=int, default=1000000)
    parser.add_argument("--tenants", type=int, default=20)
    parser.add_argument("--profile", choices=profiles.PROFILES, default="large", help="who sends the events: --tenants large ones, 10,000 small ones, one giant among 1,000")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--ours", type=words, default=list(OURS), help="of " + ",".join(OURS))
    parser.add_argument("--peers", type=words, default=["consume", "streams", "streams-mem"], help="peers measured in turn with ours; \"\": none")
    parser.add_argument("--peers-dir", type=Path, default=Path(os.environ.get("PEERS_DIR", TREE.parent / "shared" / "peers")))
    parser.add_argument("--cache", type=Path, default=Path(os.environ.get("PEERS_CACHE", Path.home() / ".cache" / "crm-peers")))
    parser.add_argument("--intervals", type=words, default=["200", "20"], help="snapshot_interval_ms of the freshness runs")
    parser.add_argument("--rate", type=int, default=2000, help="events per second behind the probes of the freshness runs")
    parser.add_argument("--latency", type=words, default=list(latency.MODES), help="of " + ",".join(latency.MODES))
    parser.add_argument("--latency-intervals", type=words, default=["0", "20", "200"], help="snapshot_interval_ms of latency's runs")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--cases", type=words, default=["10000", "100000", "1000000"], help="how many stand in Redis, run by run, in growth")
    parser.add_argument("--pause", action="store_true", help="growth: wait for Enter before anything is timed")
    parser.add_argument("--kinds", type=words, default=["deal", "case", "email"], help="weighed by kinds")
    parser.add_argument("--entities", type=int, default=200000, help="of each kind that is weighed")
    parser.add_argument("--numbers", type=words, default=["10000"], help="of small tenants, run by run, in many")
    parser.add_argument("--stage-events", type=int, default=100000, help="timed by stages, after twice as many")
    parser.add_argument("--round", type=int, default=4096, help="events of a round in stages")
    parser.add_argument("--results", type=Path, help="a folder: each run adds a JSON line to results.jsonl, and its plot")
    return parser.parse_args()


class Bench:
    def __init__(self, args, folder):
        self.args, self.folder, self.n = args, folder, 0
        self.peers = Peers(args.peers_dir, args.cache) if (args.peers_dir / "run.sh").exists() else None
        self.lines, self.expected = (None, None) if set(args.what) <= {"growth", "kinds", "stages", "many"} and args.what else self.input()

    def input(self):
        """The peers' input where they are, so that both sides read the same; else that of our own generator, without expected numbers."""
        args = self.args
        tenants = args.tenants if args.profile == "large" else sum(count for _, count in profiles.PROFILES[args.profile])
        if self.peers:
            lines, self.seed = profiles.make(args.profile, args.events, args.seed, tenants, self.peers.generate,
                                             lambda label: self.peers.file_of(args.events, label, tenants))
            self.tenants = tenants
            return lines, self.peers.expected(lines) if "catchup" in (args.what or ["catchup"]) else None
        return profiles.make(args.profile, args.events, args.seed, tenants, self.generate, lambda label: self.folder / (label + ".tsv"))[0], None

    def generate(self, events, seed, tenants):
        """By our own generator."""
        lines = self.folder / ("events-%d-%d-%d.tsv" % (seed, events, tenants))
        subprocess.run([sys.executable, BENCH.parent / "model" / "generate.py", "--events", str(events), "--tenants", str(tenants), "--seed", str(seed),
                        "--out", lines, "--settings", self.folder / "settings.json"], check=True)
        return lines

    def place(self, name):
        self.n += 1
        folder = self.folder / ("%02d-%s" % (self.n, name))
        folder.mkdir()
        return folder

    def note(self, name, row):
        print(name, json.dumps({key: value for key, value in row.items() if key != "samples"}), file=sys.stderr, flush=True)
        if not self.args.results:
            return
        self.args.results.mkdir(parents=True, exist_ok=True)
        with open(self.args.results / "results.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps({"name": name, "profile": self.args.profile} | row) + "\n")
        plot.draw(self.args.results, name, row)

    def catchup(self):
        """Ours and the peers in turn, so that a busy minute of the machine meets both."""
        args, rows = self.args, []
        try:
            for _ in range(args.repeat):
                for peer in args.peers if self.peers else []:
                    rows.append((peer, self.peers.run(peer, args.events, self.seed, self.tenants, self.folder)))
                    self.note(*rows[-1])
                with self.broker() as kafka:
                    self.ours(kafka, rows)
        finally:  # a round that fails does not take the others along
            print("\n## Catching up\n\n" + markdown(rows, CATCHUP, "wrong values"))
            costs = [("%s, %s" % (name, topic), cost) for name, row in rows for topic, cost in row.get("topics", {}).items()]
            print("\n## Topic by topic\n\n" + markdown(costs, TOPICS))

    @contextlib.contextmanager
    def broker(self, **environment):
        """A fresh one, as each run of a peer has; with an environment of its own (tests/kafka/broker.sh)."""
        kafka = MeasuredKafka(self.place("kafka"), **environment)
        kafka.broker("install")
        kafka.start()
        try:
            yield kafka
        finally:
            kafka.kill()

    def ours(self, kafka, rows):
        args = self.args
        topics = Topics(kafka, "crm", args.partitions)
        tenants, lasts = load(kafka.address, self.lines)
        read_once(kafka.address, topics.into, args.events)
        for name in args.ours:
            catalogue, durable, settings = OURS[name]
            row = throughput.run(args.bin, self.place(name), kafka, topics, tenants, lasts, catalogue, durable, self.expected, **settings)
            rows.append(("crm-reportd " + name, row))
            self.note(*rows[-1])

    def freshness(self):
        args, rows = self.args, []
        with self.broker() as kafka:
            for interval in args.intervals:
                topics = Topics(kafka, "fresh-" + interval, args.partitions)
                for place, row in freshness.run(args.bin, self.place("fresh-" + interval), kafka, topics, self.lines, int(interval), args.rate,
                                                args.seconds).items():
                    rows.append(("%s ms, %s" % (interval, "in Redis" if place == "redis" else "on the topic"), row))
                    self.note(*rows[-1])
        print("\n## From event to snapshot\n\n" + markdown(rows, FRESHNESS))


    def latency(self):
        rows = []
        for name, row in latency.run(self):
            rows.append((name, row))
            self.note(name, row)
        print("\n## Latency\n\n" + markdown(rows, LATENCY))

    def giant_lines(self, events):
        """A file of one tenant's."""
        return (self.peers or self).generate(events, self.args.seed + 1, 1)

    def growth(self):
        with self.broker() as kafka:
            rows = growth.run(self.args.bin, self.place, kafka, [int(cases) for cases in self.args.cases], self.args.repeat, self.ready)
        for row in rows:
            self.note(*row)
        print("\n## Growth\n\n" + markdown(rows, GROWTH))

    def ready(self):
        """With --pause: all is loaded, nothing timed yet. Now the machine can be made quiet."""
        if self.args.pause:
            print("ready to measure: press Enter", file=sys.stderr, flush=True)
            sys.stdin.readline()

    def kinds(self):
        rows = []
        with self.broker() as kafka:
            for kind in self.args.kinds:
                rows.append((kind, growth.kinds(self.args.bin, self.place(kind), kafka, kind, self.args.entities)))
                self.note(*rows[-1])
        print("\n## What one of a kind takes, the whole catalogue kept\n\n" + markdown(rows, KINDS))

    def many(self):
        rows = []
        with self.broker() as kafka:
            for n, catalogue in itertools.product(self.args.numbers, ("three", "full")):
                rows.append(("%s %s" % (n, catalogue), many.run(self.args.bin, self.place("many"), kafka, int(n), catalogue)))
                self.note("many " + rows[-1][0], rows[-1][1])
        print("\n## Many small tenants\n\n" + markdown(rows, MANY))

    def stages(self):
        """Without servers; both catalogues on one input."""
        args, rows = self.args, []
        made = stages.Input(self.place("stages"), args.stage_events, 2 * args.stage_events, args.tenants)
        for catalogue in ("three", "full"):
            rows.append((catalogue, stages.measure(made, args.bin, catalogue, args.round, args.repeat)))
            self.note("stages " + catalogue, rows[-1][1])
        print("\n## The hot path, station by station\n\n" + stages.picture(rows))

    def replay(self):
        """A file of all kinds by our own generator, folded in memory."""
        args, place = self.args, self.place("replay")
        lines, settings = place / "events.ndjson", place / "settings.json"
        subprocess.run([sys.executable, BENCH.parent / "model" / "generate.py", "--events", str(args.events), "--tenants", str(args.tenants), "--seed",
                        str(args.seed), "--format", "ndjson", "--out", lines, "--settings", settings], check=True)
        as_of = Path(str(settings) + ".as_of").read_text(encoding="utf-8").strip()
        rows = []
        for _ in range(args.repeat):
            row = replaying.run(args.bin, lines, settings, as_of)
            rows.append(("replay", row | {"events": args.events, "rate": args.events / row["cpu"]}))
            self.note(*rows[-1])
        print("\n## Replay of a file\n\n" + markdown(rows, REPLAY))


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers go with it
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args, Path(folder))
        for what in args.what or ["catchup", "freshness", "replay"]:
            {"catchup": bench.catchup, "freshness": bench.freshness, "replay": bench.replay, "growth": bench.growth, "kinds": bench.kinds, "stages": bench.stages, "many": bench.many,
             "latency": bench.latency}[what]()


if __name__ == "__main__":
    main()
