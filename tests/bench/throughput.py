"""Catching up: all events are in the topics before the daemon starts. What one run costs, and whether the numbers are right."""
import json
import sys
import time

from machine import BENCH, MeasuredDaemon, MeasuredRedis
from servers import wait_until

LOOK_S = 0.05
SHOWN = 10  # differences told
CLOCK = "2026-04-30T12:00:00Z"  # after the last event: the same work on any day
COMPARED = [("cases_closed_same_day", ["day"], "cases_closed_same_day"), ("deals_created", ["day"], "deals_created"),
            ("opportunity_calls", ["day"], "sales_calls"), ("leads", ["day", "source"], "contacts:"),
            ("converted_leads", ["day", "source"], "converted:")]
LOOKED_AT = 40  # tenants, where there are very many, and those that come last
NOT_OURS = {"info", "dbsize", "hello", "client", "ping"}  # commands of who looks on; its HGETALLs are taken off
CUT_ONLY = ["deals_created", "opportunity_calls"]  # metrics of three-metrics.json alone


def configure(kafka, topics, redis, group, catalogue, **more):
    settings = {"kafka": {"bootstrap.servers": kafka.address, "group.id": group}, "topics": topics.settings(), "redis": {"url": redis.url},
                "listen": "", "max_ahead_s": 31536000, "tenants": {"default": {"time_zone": "UTC"}}}
    if catalogue == "three":
        settings["catalogue"] = [str(BENCH / "three-metrics.json")]
    return settings | more


def look_at(tenants, lasts):
    """By whom to see how far it is: all tenants, or some of them and those whose events end a partition."""
    return tenants if len(tenants) <= 2 * LOOKED_AT else sorted(set(tenants[::len(tenants) // LOOKED_AT]) | lasts)


class Traffic:
    """What goes to Redis, but for what asks how far it is."""

    def __init__(self, redis):
        self.redis, self.before = redis, redis.client.info("stats")["total_net_input_bytes"]

    def row(self, events, looks, n_looked_at):
        commands = {name: calls for name, (calls, _) in self.redis.calls().items() if name not in NOT_OURS}
        commands["hgetall"] = commands.get("hgetall", 0) - looks * n_looked_at
        return {"redis_bytes": (self.redis.client.info("stats")["total_net_input_bytes"] - self.before) / events,
                "redis_commands": sum(commands.values()) / events}


def counted(redis, tenants):
    """{topic:partition: offset behind the last event that is in the numbers}, by what the tenants' states say."""
    pipe = redis.client.pipeline(transaction=False)
    for tenant in tenants:
        pipe.hgetall("crm:{%s}:state" % tenant)
    reached = {}
    for state in pipe.execute():
        for field, value in state.items():
            if field.startswith("position:"):
                place = field[len("position:"):]
                reached[place] = max(reached.get(place, 0), int(value.split()[0]))
    return reached


def watch(daemon, redis, tenants, ends, timeout):
    """Samples (seconds since the first look, events counted, CPU seconds of the daemon, of Redis, MiB of the daemon, {topic: events counted})
    until all is counted."""
    began, samples = time.monotonic(), []
    while not samples or samples[-1][1] < sum(ends.values()):
        daemon.alive()
        reached = counted(redis, tenants)
        topics = {}
        for place, offset in reached.items():
            topic = place.rsplit(":", 1)[0]
            topics[topic] = topics.get(topic, 0) + offset
        samples.append((time.monotonic() - began, sum(reached.values()), daemon.cpu(), redis.cpu(), daemon.mib(), topics))
        assert samples[-1][0] < timeout, "%d of %d events counted after %g s:\n%s" % (samples[-1][1], sum(ends.values()), timeout, daemon.log())
        time.sleep(LOOK_S)
    return samples


def versions(redis, tenants):
    return [redis.client.hgetall("crm:{%s}:versions" % tenant) for tenant in tenants]


def settle(redis, tenants, seconds=2.5):
    """Seconds until the last report was written: nothing came for so long, and the publisher sees only after a second that the worker has caught up."""
    began, state, changed = time.monotonic(), versions(redis, tenants), time.monotonic()
    while time.monotonic() - changed < seconds:
        time.sleep(LOOK_S)
        now = versions(redis, tenants)
        if now != state:
            state, changed = now, time.monotonic()
    return changed - began


def second_half(samples, events):
    """(events per second, per CPU second of the daemon) of the second half; None when it was over too soon to be seen."""
    half, last = next(s for s in samples if s[1] >= events / 2), samples[-1]
    if last[0] - half[0] < 10 * LOOK_S:
        return None, None
    return (last[1] - half[1]) / (last[0] - half[0]), (last[1] - half[1]) / (last[2] - half[2])


def by_topic(samples):
    """{topic: what an event of it costs}, of the moments in which nothing else was counted: partitions that are far behind take turns."""
    costs, before = {}, samples[0]
    for sample in samples[1:]:
        moved = {topic: n - before[5].get(topic, 0) for topic, n in sample[5].items() if n > before[5].get(topic, 0)}
        for topic, n in moved.items() if len(moved) == 1 else ():
            cost = costs.setdefault(topic, {"events": 0, "cpu": 0, "redis_cpu": 0})
            cost["events"] += n
            cost["cpu"] += sample[2] - before[2]
            cost["redis_cpu"] += sample[3] - before[3]
        if moved:
            before = sample
    return {topic: {"events": cost["events"], "cost": cost["cpu"] / cost["events"], "redis_cost": cost["redis_cpu"] / cost["events"]}
            for topic, cost in sorted(costs.items())}


def differences(daemon, tenants, expected, catalogue):
    """(values that differ, values compared) of the three metrics, as far as the catalogue has what they are made of."""
    compared = [row for row in COMPARED if catalogue == "three" or row[0] not in CUT_ONLY]
    asked = [(tenant, by, name, {"tenant": tenant, "metric": metric, "by": by}) for tenant in tenants for metric, by, name in compared]
    expected = {key: value for key, value in expected.items() if any(key[2].startswith(row[2]) for row in compared)}
    code, out, errors = daemon.command("query", stdin="".join(json.dumps(row[3]) + "\n" for row in asked))
    answers = out.splitlines()
    assert code == 0 and len(answers) == len(asked), errors
    got = {}
    for (tenant, by, name, _), answer in zip(asked, answers):
        for row in json.loads(answer)["rows"]:
            if row["value"]:
                got[tenant, row["day"], name + (row["source"] if len(by) > 1 else "")] = row["value"]
    wrong = sorted(key for key in got.keys() | expected.keys() if got.get(key) != expected.get(key))
    for key in wrong[:SHOWN]:
        print(*key, "expected", expected.get(key), "got", got.get(key), file=sys.stderr)
    return len(wrong), len(expected)


def run(binary, folder, kafka, topics, tenants, lasts, catalogue, durable, expected, timeout=1800, **settings):
    """One run; a row for the table."""
    redis = MeasuredRedis(folder / "redis", durable)
    redis.start()
    name = folder.name
    daemon = MeasuredDaemon(binary, folder / "daemon", configure(kafka, topics, redis, name, catalogue, **settings), CLOCK)
    ends = {"%s:%d" % place: end for place, end in topics.ends(topics.into).items() if end}
    events, broker_before, redis_before, looked_at = sum(ends.values()), kafka.cpu(), redis.cpu(), look_at(tenants, lasts)
    traffic = Traffic(redis)
    try:
        began = time.monotonic()
        daemon.start()
        wait_until(lambda: daemon.alive() and redis.client.dbsize(), "a first event is counted", every=LOOK_S / 5)
        first = time.monotonic()
        samples = watch(daemon, redis, looked_at, ends, timeout)
        last = time.monotonic()
        seen = {"threads": daemon.threads(), "calls": redis.calls(), "samples": samples} | traffic.row(events, len(samples), len(looked_at))
        reports = settle(redis, looked_at) if catalogue == "full" else None
        redis_cpu, broker_cpu = redis.cpu() - redis_before, kafka.cpu() - broker_before
        row = {"events": events, "wall": last - began, "start": first - began, "reports": reports, "redis_cpu": redis_cpu,
               "broker_cpu": broker_cpu, "rate": events / (last - began), "steady": events / (last - first)} | seen | redis.size() | daemon.finish()
        row["warm"], row["warm_per_cpu"] = second_half(samples, events)
        row["topics"] = by_topic(samples)
        row["per_cpu"], row["per_cpu_redis"] = events / row["cpu"], events / (row["cpu"] + redis_cpu)
        row["wrong values"] = "%d of %d" % differences(daemon, tenants, expected, catalogue) if expected else None
        return row
    finally:
        daemon.kill()
        redis.kill()
