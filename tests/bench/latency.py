"""From an event to what shows it in Redis: a producer that keeps to its plan and a reader of Redis, each a process of its own (latency_feed, latency_watch)."""
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from load import load
from machine import BENCH, MeasuredDaemon, MeasuredRedis, process_cpu
from throughput import configure

START_S = 1.5  # until feed and watch are connected
REPORT = "conversion"
PEER_START_S = 8


def one_line(process, name):
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 0, "%s ended with %s" % (name, process.returncode)
    return json.loads(out)


def measure(tools, kafka, prefix, redis, lines, what, tenants, plan, cpus):
    """What feed and watch say of one run, with the share of a CPU that each process took. `cpus`: {name: function that says CPU seconds}."""
    start = str(round((time.monotonic() + START_S) * 1e6))
    seconds, warm, per_s = str(plan["warm"] + plan["seconds"]), str(plan["warm"]), str(plan["probes"])
    before = {name: cpu() for name, cpu in cpus.items()}
    watch = subprocess.Popen([tools / "latency_watch", redis.socket, what, start, seconds, warm, per_s, *tenants], stdout=subprocess.PIPE)
    with open(lines, "rb") as file:
        feed = subprocess.Popen([tools / "latency_feed", kafka.address, prefix, "counter" if what == "counter" else "snapshot", start, str(plan["rate"]), seconds,
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
    return row | used | {"rate": plan["rate"], "late": sent["late_ms"], "tenants": len(tenants)}


def ours(binary, folder, kafka, topics, lines, what, tenants, plan, **settings):
    """One run of the daemon; a row for the table."""
    redis = MeasuredRedis(folder / "redis", durable=False)
    redis.start()
    daemon = MeasuredDaemon(binary, folder / "daemon", configure(kafka, topics, redis, folder.name, "full") | settings)
    cpus = {"cpu": daemon.cpu, "redis": redis.cpu, "broker": kafka.cpu}
    try:
        daemon.start().wait_ready()
        time.sleep(1)
        row = measure(Path(binary).parent, kafka, topics.prefix, redis, lines, what, tenants, plan, cpus)
        daemon.alive()
        threads = {name: used / (plan["warm"] + plan["seconds"]) for name, used in daemon.threads().items() if used > 0.1}
        row |= {"threads": threads, "interval_ms": settings.get("snapshot_interval_ms")}
        if os.environ.get("KEEP_LOG"):
            print(daemon.log())
        return row
    finally:
        daemon.kill()
        redis.kill()
