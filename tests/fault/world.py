"""What a fault run is made of: topics, a Redis of some kind, instances of the daemon, and events that come bit by bit."""
import contextlib
import json
import subprocess
import sys
import time
from collections import Counter

import ask
import outputs
from confluent_kafka import KafkaException
from servers import TESTS, free_port, wait_until
from stream import Feed, caught_up, quiet
from test_end_to_end import check_documents, days_of, milliseconds

CLOCK = "2026-06-30T00:00:00Z"
TENANTS = 6
MEMORY_BOUND_KB = 400 * 1024  # of a daemon with cache_mb 64
QUIET_S = 2.5  # a second after the daemon has caught up documents are renewed, one tenant after the other
SESSION_S = 6  # session.timeout.ms of the tests' daemons


def generate(seed, events, folder):
    rows = folder / "events.tsv"
    subprocess.run([sys.executable, TESTS / "model" / "generate.py", "--seed", str(seed), "--events", str(events), "--tenants", str(TENANTS),
                    "--repeat", "2%", "--late", "5%", "--bad", "0.5%", "--out", rows], check=True)
    return rows.read_text(encoding="utf-8").splitlines(keepends=True)


def pause(rng, longest=1.5):
    time.sleep(rng.uniform(0.05, longest))


class World:
    """`store`: the Redis of the run, one of stores.py; `make_daemon`: the fixture."""

    def __init__(self, seed, events, topics, store, make_daemon, folder):
        self.topics, self.kafka, self.store, self.make_daemon, self.folder = topics, topics.kafka, store, make_daemon, folder
        self.rows, self.fed = generate(seed, events, folder), 0
        self.feed = Feed(topics, milliseconds(CLOCK), **{"enable.idempotence": True})
        self.instances = []
        self.lost_at, self.ended_at = [], []  # when Redis lost something, when an instance ended

    @property
    def redis(self):
        """Whose client sees all keys."""
        return self.store.redis

    def add_instance(self):
        worker = self.make_daemon(self.topics, self.redis, clock=CLOCK, cache_mb=64, alerts=outputs.RULES, listen="127.0.0.1:%d" % free_port(),
                                  kafka={"topic.metadata.refresh.interval.ms": 60_000})  # a partition added is read so soon at the latest
        worker.configure(worker.config | {"redis": {"url": self.store.url(), "command_timeout_ms": 2000}})
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
        try:
            found = list(self.topics.admin.describe_consumer_groups([group]).values())[0].result(30)
        except KafkaException:  # its coordinator has just gone
            return set()
        return {(member.group_instance_id, member.member_id) for member in found.members}

    def marks(self, of_slots=min):
        """{(topic, partition): below it all is committed}; in a cluster the lowest (or highest) of those that the slots carry."""
        found = {}
        for key in self.redis.client.scan_iter("crm:marks*", count=1000):
            for name, mark in self.redis.client.hgetall(key).items():
                topic, partition = name.rsplit(":", 1)
                place, at = (topic, int(partition)), int(mark.split()[0])
                found[place] = of_slots(at, found.get(place, at))
        return found

    def offsets(self):
        """{(topic, partition): as the group has it in Kafka}"""
        return self.topics.committed(self.instances[0].config["kafka"]["group.id"])

    def look_at_offsets(self):
        """None is ahead of its mark, as long as Redis has lost nothing. (A mark read later may only be higher. A slot of a cluster that
        has just come into use may be behind: it began with those that stood elsewhere a moment before.)"""
        if self.lost_at:
            return
        offsets, marks = self.offsets(), self.marks(max)
        ahead = {place: (offset, marks.get(place)) for place, offset in offsets.items() if offset > marks.get(place, 0)}
        assert not ahead, "offsets are ahead of marks: (topic, partition): (offset, mark) %s" % ahead

    def at_the_end(self):
        """All is read: every mark and every offset stands behind the last record, not before it nor beyond."""
        ends = {place: end for place, end in self.topics.ends(self.topics.into).items() if end}
        for what, ask_for in (("marks", self.marks), ("offsets", self.offsets)):
            def elsewhere(ask_for=ask_for):
                found = ask_for()
                return {place: (found.get(place), end) for place, end in ends.items() if found.get(place) != end}
            wait_until(lambda elsewhere=elsewhere: not elsewhere(),
                       lambda what=what, elsewhere=elsewhere: "%s are at the end, but for (topic, partition): (where, end) %s" % (what, elsewhere()), 30, 1)

    def feed_some(self, rng):
        more = min(rng.randrange(20, len(self.rows) // 12), len(self.rows) - self.fed)
        self.feed.rows(self.rows[self.fed:self.fed + more])
        self.fed += more

    def feed_the_rest(self):
        self.feed.rows(self.rows[self.fed:])
        self.fed = len(self.rows)
        self.feed.flush()

    def settle(self):
        """Faults are over; what is left of the events comes, and everything comes to rest."""
        self.store.heal()
        self.feed_the_rest()
        for each in self.instances:
            each.alive()
            each.wait_says_ready()  # a shard that it does not reach it cannot know to have lost something
        self.rest()

    def rest(self):
        try:
            caught_up(self.topics, self.instances[0], 180)
            quiet(self.topics, self.redis, 60, seconds=QUIET_S)
        except AssertionError as error:
            raise AssertionError("%s\n%s" % (error, "\n".join("%s: %s" % (each.folder.name, each.log()) for each in self.instances[1:]))) from error

    def check(self, binary):
        self.at_the_end()
        events, records = self.folder / "events.ndjson", self.what_came()
        values = [record.value() for record in records]
        events.write_bytes(b"".join(value + b"\n" for value in values))
        tenants = sorted({row.split("\t", 1)[0] for row in self.rows})
        queries = ask.everything(dict.fromkeys(tenants, {}), days_of(CLOCK))
        but = ask.COUNT_ARRIVALS if self.lost_at else ()
        all_tenants = sorted({*tenants, "default"})  # whose are the events that name none, or cannot be read
        queries += outputs.questions(all_tenants)
        code, want, rejected = ask.replay(binary, CLOCK, {"tenants": {}}, queries, [events], timeout=900)
        assert code in (0, 3), rejected[-2000:]
        ask.assert_same(queries, want, self.answers(queries), but)
        wait_until(lambda: not self.unequal(), lambda: "the topic ends with the reports as in Redis: (report, topic, Redis) %s" % self.unequal(), 30, 1)
        if not self.lost_at:  # a report may count repeats
            check_documents(ask.snapshots(self.redis), binary, CLOCK, {}, events)
        outputs.check_alerts(self.topics, self.redis, outputs.standing(dict(zip(map(json.dumps, queries), want)), all_tenants),
                             in_turns=not self.lost_at, to_the_end=self.is_known())
        outputs.check_dead_letters(self.topics, records, outputs.rejected_values(values, rejected))
        for each in self.instances:
            self.check_memory(each)

    def answers(self, queries):
        """As `query` gives them; on a machine that does ten things at once Redis may take longer than the command waits."""
        for _ in range(5):
            with contextlib.suppress(AssertionError):
                return ask.live(self.instances[0], queries)
        return ask.live(self.instances[0], queries)

    def what_came(self):
        """The records of the topics: what the numbers are recomputed from. A producer whose broker is killed may send some twice."""
        records, fed = self.topics.all_records(self.topics.into), [row.rstrip("\n").split("\t", 2)[2].encode() for row in self.rows]
        missing = Counter(fed) - Counter(record.value() for record in records)
        assert not missing, "%d events were acknowledged, but are not in the topics: %s" % (missing.total(), next(iter(missing)))
        if len(records) != len(fed):
            print("  %d events, %d records: the producer sent some twice" % (len(fed), len(records)), flush=True)
        return records

    def unequal(self):
        """Reports whose last record is not what stands in Redis. Two that publish the same by turns may give it two versions."""
        stored, sent = ask.snapshots(self.redis), self.topics.last_snapshots()
        return [(key, sent.get(key, {}).get("version"), document["version"]) for key, document in stored.items()
                if key not in sent or ask.bare(sent[key]) != ask.bare(document)]

    def check_memory(self, worker):
        if worker.process.poll() is None:
            assert peak_kb(worker) < MEMORY_BOUND_KB, "%d MB of memory" % (peak_kb(worker) // 1024)

    def end(self):
        for each in self.instances:
            each.kill()


def peak_kb(worker):
    with open("/proc/%d/status" % worker.process.pid, encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
