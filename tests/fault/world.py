"""What a fault run is made of: topics, a Redis behind proxies, instances of the daemon, and events that come bit by bit."""
import subprocess
import sys

import ask
from proxy import Proxy
from servers import TESTS, Redis, free_port, wait_until
from stream import Feed, settle
from test_end_to_end import check_documents, days_of, milliseconds

CLOCK = "2026-06-30T00:00:00Z"
TENANTS = 6
MEMORY_BOUND_KB = 400 * 1024  # of a daemon with cache_mb 64


def generate(seed, events, folder):
    rows = folder / "events.tsv"
    subprocess.run([sys.executable, TESTS / "model" / "generate.py", "--seed", str(seed), "--events", str(events), "--tenants", str(TENANTS),
                    "--repeat", "2%", "--late", "5%", "--bad", "0.5%", "--out", rows], check=True)
    return rows.read_text(encoding="utf-8").splitlines(keepends=True)


class World:
    """`make_daemon`: the fixture. Everything else it starts it ends with `close`."""

    def __init__(self, seed, events, kafka, topics, make_daemon, folder):
        self.kafka, self.topics, self.make_daemon, self.folder = kafka, topics, make_daemon, folder
        self.backup, self.lost_something, self.servers = folder / "backup", False, []
        self.rows, self.fed = generate(seed, events, folder), 0
        self.feed = Feed(topics, milliseconds(CLOCK))
        self.redis = self.start_redis()
        self.instances, self.proxies = [], []

    def start_redis(self, **how):
        server = Redis(self.folder / ("redis%d" % len(self.servers)), **how)
        self.servers.append(server)
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
        worker = self.make_daemon(self.topics, self.redis, clock=CLOCK, cache_mb=64)
        worker.configure(worker.config | {"redis": {"url": "redis://127.0.0.1:%d" % proxy.port, "command_timeout_ms": 2000}})
        self.instances.append(worker.start())

    def any_instance(self, rng):
        return rng.choice(self.instances)

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
        settle(self.topics, self.instances[0], self.redis, 180)

    def check(self, binary):
        events = self.folder / "events.ndjson"
        events.write_text("".join(row.split("\t", 2)[2] for row in self.rows), encoding="utf-8")
        tenants = sorted({row.split("\t", 1)[0] for row in self.rows})
        queries = ask.everything(dict.fromkeys(tenants, {}), days_of(CLOCK))
        but = ask.COUNT_ARRIVALS if self.lost_something else ()
        ask.assert_same(queries, ask.replayed(binary, CLOCK, {}, queries, [events]), ask.live(self.instances[0], queries), but)
        wait_until(lambda: self.topics.last_snapshots().keys() >= ask.snapshots(self.redis).keys(), "every report is in the topic", 30, 0.5)
        stored, sent = ask.snapshots(self.redis), self.topics.last_snapshots()
        for key, document in stored.items():  # two that publish the same by turns may give it two versions
            assert ask.bare(sent[key]) == ask.bare(document), key
        if not self.lost_something:  # a report may count repeats
            check_documents(stored, binary, CLOCK, {}, events)
        for each in self.instances:
            assert peak_kb(each) < MEMORY_BOUND_KB, "%d MB of memory" % (peak_kb(each) // 1024)

    def close(self):
        for proxy in self.proxies:
            proxy.close()
        for server in self.servers:
            server.stop()


def peak_kb(worker):
    with open("/proc/%d/status" % worker.process.pid, encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
