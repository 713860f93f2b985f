"""What a fault run is made of: topics, a Redis behind proxies, instances of the daemon, and events that come bit by bit."""
import json
import os
import subprocess
import sys
import time

import ask
import outputs
from proxy import Proxy
from servers import TESTS, Redis, free_port, wait_until
from stream import Feed, settle
from test_end_to_end import check_documents, days_of, milliseconds

CLOCK = "2026-06-30T00:00:00Z"
TENANTS = 6
MEMORY_BOUND_KB = 400 * 1024  # of a daemon with cache_mb 64
DISK_MB = 64  # under each Redis
SESSION_S = 6  # session.timeout.ms of the tests' daemons


def generate(seed, events, folder):
    rows = folder / "events.tsv"
    subprocess.run([sys.executable, TESTS / "model" / "generate.py", "--seed", str(seed), "--events", str(events), "--tenants", str(TENANTS),
                    "--repeat", "2%", "--late", "5%", "--bad", "0.5%", "--out", rows], check=True)
    return rows.read_text(encoding="utf-8").splitlines(keepends=True)


class World:
    """`make_daemon`: the fixture. Everything else it starts it ends with `close`."""

    def __init__(self, seed, events, kafka, topics, make_daemon, folder):
        self.kafka, self.topics, self.make_daemon, self.folder = kafka, topics, make_daemon, folder
        self.backup, self.servers = folder / "backup", []
        self.rows, self.fed = generate(seed, events, folder), 0
        self.feed = Feed(topics, milliseconds(CLOCK))
        self.redis = self.start_redis()
        self.instances, self.proxies = [], []
        self.lost_at, self.ended_at = [], []  # when Redis lost something, when an instance ended

    def start_redis(self, **how):
        server = Redis(self.folder / ("redis%d" % len(self.servers)), **how)
        self.servers.append(server)
        server.own_disk = mount(server.folder)
        server.start()
        return server

    def start_replica(self):
        replica = self.start_redis()
        replica.client.execute_command("REPLICAOF", "127.0.0.1", self.redis_port())
        return replica

    def redis_port(self):
        """Replicas want a port: the primary opens one when it is first asked for."""
        if self.redis.client.config_get("port")["port"] == "0":
            self.redis.client.config_set("port", free_port())
        return self.redis.client.config_get("port")["port"]

    def promote(self, replica):
        self.redis = replica
        for proxy in self.proxies:
            proxy.target = str(replica.socket)
            proxy.cut()

    def add_instance(self):
        proxy = Proxy(self.redis.socket)
        self.proxies.append(proxy)
        worker = self.make_daemon(self.topics, self.redis, clock=CLOCK, cache_mb=64, alerts=outputs.RULES,
                                  kafka={"topic.metadata.refresh.interval.ms": 60_000})  # a partition added is read so soon at the latest
        worker.configure(worker.config | {"redis": {"url": "redis://127.0.0.1:%d" % proxy.port, "command_timeout_ms": 2000}})
        self.instances.append(worker.start())

    def any_instance(self, rng):
        return rng.choice(self.instances)

    def lost_something(self):
        self.lost_at.append(time.monotonic())

    def ending(self, worker):
        """An instance is about to end: what it took of memory is looked at while it can be."""
        self.check_memory(worker)
        self.ended_at.append(time.monotonic())

    def is_known(self):
        """Whether whoever knew what Redis lost lived long enough to see to it."""
        return not any(lost - 10 < ended < lost + 30 for lost in self.lost_at for ended in self.ended_at)

    def members(self):
        """Those that the group has assigned partitions to, by the name they keep."""
        group = self.instances[0].config["kafka"]["group.id"]
        found = list(self.topics.admin.describe_consumer_groups([group]).values())[0].result(30)
        return {(member.group_instance_id, member.member_id) for member in found.members}

    def feed_some(self, rng):
        more = rng.randrange(20, len(self.rows) // 12)
        self.feed.rows(self.rows[self.fed:self.fed + more])
        self.fed += more

    def settle(self):
        """Faults are over; what is left of the events comes, and everything comes to rest."""
        for proxy in self.proxies:
            proxy.heal()
        self.feed.rows(self.rows[self.fed:])
        self.feed.flush()
        for each in self.instances:
            each.alive()
        try:
            settle(self.topics, self.instances[0], self.redis, 180)
        except AssertionError as error:
            raise AssertionError("%s\n%s" % (error, "\n".join("%s: %s" % (each.folder.name, each.log()) for each in self.instances[1:]))) from error

    def check(self, binary):
        events = self.folder / "events.ndjson"
        events.write_text("".join(row.split("\t", 2)[2] for row in self.rows), encoding="utf-8")
        tenants = sorted({row.split("\t", 1)[0] for row in self.rows})
        queries = ask.everything(dict.fromkeys(tenants, {}), days_of(CLOCK))
        but = ask.COUNT_ARRIVALS if self.lost_at else ()
        all_tenants = sorted({*tenants, "default"})  # whose are the events that name none, or cannot be read
        queries += outputs.questions(all_tenants)
        code, want, rejected = ask.replay(binary, CLOCK, {"tenants": {}}, queries, [events], timeout=900)
        assert code in (0, 3), rejected[-2000:]
        ask.assert_same(queries, want, ask.live(self.instances[0], queries), but)
        wait_until(lambda: not self.unequal(), lambda: "the topic ends with the reports as in Redis: (report, topic, Redis) %s" % self.unequal(), 30, 1)
        if not self.lost_at:  # a report may count repeats
            check_documents(ask.snapshots(self.redis), binary, CLOCK, {}, events)
        outputs.check_alerts(self.topics, self.redis, outputs.standing(dict(zip(map(json.dumps, queries), want)), all_tenants),
                             in_turns=not self.lost_at, to_the_end=self.is_known())
        outputs.check_dead_letters(self.topics, outputs.rejected_values(self.rows, rejected))
        for each in self.instances:
            self.check_memory(each)

    def unequal(self):
        """Reports whose last record is not what stands in Redis. Two that publish the same by turns may give it two versions."""
        stored, sent = ask.snapshots(self.redis), self.topics.last_snapshots()
        return [(key, sent.get(key, {}).get("version"), document["version"]) for key, document in stored.items()
                if key not in sent or ask.bare(sent[key]) != ask.bare(document)]

    def check_memory(self, worker):
        if worker.process.poll() is None:
            assert peak_kb(worker) < MEMORY_BOUND_KB, "%d MB of memory" % (peak_kb(worker) // 1024)

    def close(self):
        for proxy in self.proxies:
            proxy.close()
        for server in self.servers:
            server.stop()
            if server.own_disk:
                subprocess.run(["umount", "-l", server.folder], check=False)


def mount(folder):
    """A small disk of its own for a server, where that is permitted (root)."""
    if os.geteuid() != 0:
        return False
    return subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm" % DISK_MB, "none", folder], capture_output=True, check=False).returncode == 0


def peak_kb(worker):
    with open("/proc/%d/status" % worker.process.pid, encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
