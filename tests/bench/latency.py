"""From an event to what shows it in Redis: a producer that keeps to its plan and a reader of Redis, each a process of its own (latency_feed, latency_watch)."""
import contextlib
import itertools
import json
import subprocess
import time
from pathlib import Path

import profiles
from machine import BENCH, MeasuredDaemon, MeasuredRedis, process_cpu
from servers import free_port, wait_until
from stream import Topics
from throughput import configure

START_S = 1.5  # until feed and watch are connected
WARM_S = 15
JVM_WARM_S = 80  # of the broker, and of an engine: they compile for over a minute, on a core of the two
COLLECTOR = "-XX:+UseSerialGC -Xmn64m -XX:+AlwaysPreTouch"  # of the broker's JVM: with two cores for all, G1 stood still for up to 230 ms
LINGER_MS = 20  # of the lines: a producer of so many events sends them in batches; probes go at once
PROBES_PER_S = 200
REPORT, REPORTS = "lead_sources", str(BENCH / "latency-reports.json")
THREE = str(BENCH / "three-metrics.json")
COUNTER_RATE, SNAPSHOT_RATE = 2000, 10000
GIANT_SHARE = 4  # events of the giant on one of the others
LOOKED_AT = 50000  # lines, to find the tenants


def tenants_of(lines):
    with open(lines, "rb") as file:
        return sorted({line.split(b"\t", 1)[0].decode() for line in itertools.islice(file, LOOKED_AT)})


def one_line(process, name):
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 0, "%s ended with %s" % (name, process.returncode)
    return json.loads(out)


def measure(tools, kafka, prefix, redis, lines, what, plan, cpus):
    """What feed and watch say of one run, with the share of a CPU that each process took. `cpus`: {name: function that says CPU seconds}."""
    start = str(round((time.monotonic() + START_S) * 1e6))
    warm = plan.get("warm", WARM_S)
    seconds, warm, per_s, tenants = str(warm + plan["seconds"]), str(warm), str(PROBES_PER_S), plan["tenants"]
    before = {name: cpu() for name, cpu in cpus.items()}
    watch = subprocess.Popen([tools / "latency_watch", redis.socket, what, start, seconds, warm, per_s, *tenants], stdout=subprocess.PIPE)
    with open(lines, "rb") as file:
        feed = subprocess.Popen([tools / "latency_feed", kafka.address, prefix, "counter" if what == "counter" else "snapshot", start, str(plan["rate"]), str(LINGER_MS), seconds, warm,
                                 per_s, *tenants], stdin=file, stdout=subprocess.PIPE)
        try:
            sent = one_line(feed, "latency_feed")
            used = {name + "_share": (cpu() - before[name]) / float(seconds) for name, cpu in cpus.items()}
            row = one_line(watch, "latency_watch")
        finally:
            feed.kill()
            watch.kill()
    assert sent["events"] >= 0.99 * plan["rate"] * int(seconds), "the file of lines is too short: %d events" % sent["events"]
    used |= {"feed_share": sent["cpu"] / float(seconds), "watch_share": row.pop("cpu") / float(seconds)}
    return row | used | {"rate": plan["rate"], "late": sent["late_ms"], "acked": sent["acked_p99"], "tenants": len(tenants)}


@contextlib.contextmanager
def redis_in(folder):
    folder.mkdir()
    redis = MeasuredRedis(folder / "redis", durable=False)
    redis.start()
    try:
        yield redis
    finally:
        redis.kill()


def ours(bench, kafka, lines, what, plan, **settings):
    """One run of the daemon; a row for the table. Its topics are its own: a probe that was sent before would be there at once."""
    folder = bench.place("latency")
    topics = Topics(kafka, folder.name, bench.args.partitions)
    with redis_in(folder / "run") as redis:
        daemon = MeasuredDaemon(bench.args.bin, folder / "daemon", configure(kafka, topics, redis, folder.name, "full") | settings)
        try:
            daemon.start().wait_ready()
            row = measure(Path(bench.args.bin).parent, kafka, topics.prefix, redis, lines, what, plan, {"cpu": daemon.cpu, "redis": redis.cpu, "broker": kafka.cpu})
            daemon.alive()
            return row | {"threads": daemon.threads()}
        finally:
            daemon.kill()


def peer(bench, kafka, name, lines, plan):
    """The same probes, the same broker, topics and a Redis of its own; a row for the table."""
    folder = bench.place("latency")
    topics = Topics(kafka, folder.name, bench.args.partitions)
    with redis_in(folder / "run") as redis:
        port = free_port()
        redis.client.config_set("port", port)
        process = bench.peers.stream(name, folder, kafka.address, topics.into, redis.socket, port)
        try:
            consumes = lambda: process.poll() is None and kafka.cpu() and topics.committed(folder.name) is not None  # noqa: E731
            wait_until(consumes, name + " runs", 60)
            return measure(Path(bench.args.bin).parent, kafka, topics.prefix, redis, lines, "counter", plan,
                           {"cpu": lambda: process_cpu(process.pid), "redis": redis.cpu, "broker": kafka.cpu})
        finally:
            process.kill()
            process.wait()


def counters(bench, kafka):
    """Ours and the Streams peers in turn: from an event to the counters of its day."""
    plan = {"rate": COUNTER_RATE, "seconds": bench.args.seconds, "warm": JVM_WARM_S, "tenants": tenants_of(bench.lines)}
    for name in [name for name in bench.args.peers if name.startswith("streams")] if bench.peers else []:
        yield "counters, " + name, peer(bench, kafka, name, bench.lines, plan)
    yield "counters, crm-reportd three", ours(bench, kafka, bench.lines, "counter", plan, catalogue=[THREE])
    yield "counters, crm-reportd full", ours(bench, kafka, bench.lines, "counter", plan)


def snapshots(bench, kafka):
    plan = {"rate": SNAPSHOT_RATE, "seconds": bench.args.seconds, "tenants": tenants_of(bench.lines)}
    for interval in map(int, bench.args.latency_intervals):
        yield "snapshots, interval %d ms" % interval, ours(bench, kafka, bench.lines, REPORT, plan, catalogue=[REPORTS], snapshot_interval_ms=interval)


def with_giant(lines, giants, out):
    """Four lines of the giant on each of the others."""
    with open(lines, "rb") as others, open(giants, "rb") as giant, open(out, "wb") as made:
        giant = profiles.renamed(giant)
        for line in others:
            made.writelines([line, *itertools.islice(giant, GIANT_SHARE)])


def giant(bench, kafka):
    """The others alone, then at the same rate beside a giant with four fifths of all events. Probes go to the others."""
    alone = {"rate": SNAPSHOT_RATE // (GIANT_SHARE + 1), "seconds": bench.args.seconds, "tenants": tenants_of(bench.lines)}
    mixed = bench.folder / "giant.tsv"
    with_giant(bench.lines, bench.giant_lines(SNAPSHOT_RATE * (WARM_S + bench.args.seconds)), mixed)
    for name, lines, plan in [("without the giant", bench.lines, alone), ("beside the giant", mixed, alone | {"rate": SNAPSHOT_RATE})]:
        yield "snapshots, interval 0 ms, " + name, ours(bench, kafka, lines, REPORT, plan, catalogue=[REPORTS], snapshot_interval_ms=0)


MODES = {"counters": counters, "snapshots": snapshots, "giant": giant}


def warm_up(bench, kafka):
    """So that no engine meets a broker that is busy with itself, and the first one no other than the last."""
    plan = {"rate": SNAPSHOT_RATE, "seconds": JVM_WARM_S - WARM_S, "tenants": tenants_of(bench.lines)}
    ours(bench, kafka, bench.lines, REPORT, plan, catalogue=[REPORTS], snapshot_interval_ms=0)


def run(bench):
    """[(name, row)] of all modes asked for, on one broker."""
    with bench.broker(KAFKA_HEAP="2g", KAFKA_GC=COLLECTOR) as kafka:
        warm_up(bench, kafka)
        for mode in bench.args.latency:
            yield from MODES[mode](bench, kafka)
