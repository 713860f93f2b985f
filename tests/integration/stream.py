"""What goes into Kafka and what comes out of it, by the ordinary Python client; and waiting until the daemon has caught up."""
import json
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from servers import wait_until

IN = ["deals", "calls", "emails", "support", "contacts", "marketing", "goals"]


class Topics:
    """The topics of one test: their names carry its prefix, so that one broker serves all tests."""

    def __init__(self, kafka, prefix, partitions=4, config=None):
        self.kafka, self.prefix = kafka, prefix
        self.into = ["%s.%s" % (prefix, name) for name in IN]
        self.admin = AdminClient({"bootstrap.servers": kafka.address})
        self.create(self.into, partitions, config)
        self.create([self.name("dead-letter"), self.name("alerts")], 1, config)
        self.create([self.name("reports")], 2, {"cleanup.policy": "compact"})

    def name(self, short):
        return "%s.%s" % (self.prefix, short)

    @property
    def all(self):
        return [*self.into, *map(self.name, ("dead-letter", "alerts", "reports"))]

    def create(self, names, partitions, config=None):
        made = self.admin.create_topics([NewTopic(name, partitions, self.kafka.replicas, config=config or {}) for name in names])
        for future in made.values():
            future.result(30)

    def delete(self):
        for future in self.admin.delete_topics(self.all).values():
            future.result(30)

    def settings(self, reports="reports"):
        return {"in": self.into, "reports": self.name(reports), "alerts": self.name("alerts"), "dead_letter": self.name("dead-letter")}

    def ends(self, names):
        """{(topic, partition): end offset} of the topics."""
        def ask():
            try:
                known = self.admin.list_topics(timeout=30).topics
                if not known.keys() >= set(names):  # just created
                    return None
                parts = [TopicPartition(name, n) for name in names for n in known[name].partitions]
                answers = self.admin.list_offsets({part: OffsetSpec.latest() for part in parts}, request_timeout=10)
                return {(part.topic, part.partition): future.result(15).offset for part, future in answers.items()}
            except KafkaException:  # a topic just created has no leader yet, or not the same one on all sides
                return None
        return wait_until(ask, "end offsets of %s" % names, 60, 0.2)

    def committed(self, group, names=None):
        """{(topic, partition): offset committed by the group}, those without left out."""
        ends = self.ends(names or self.into)
        consumer = Consumer({"bootstrap.servers": self.kafka.address, "group.id": group})
        try:
            found = consumer.committed([TopicPartition(*place) for place in ends], timeout=30)
            return {(p.topic, p.partition): p.offset for p in found if p.offset >= 0}
        except KafkaException:  # no coordinator yet
            return {}
        finally:
            consumer.close()

    def records(self, short):
        """All records of an output topic, oldest first per partition."""
        return self.all_records([self.name(short)])

    def all_records(self, names):
        """All records of topics, oldest first per partition."""
        ends = {place: end for place, end in self.ends(names).items() if end}
        consumer = Consumer({"bootstrap.servers": self.kafka.address, "group.id": "reading-only", "enable.auto.commit": False,
                             "enable.partition.eof": False, "auto.offset.reset": "earliest"})
        consumer.assign([TopicPartition(topic, part, 0) for topic, part in ends])
        found = []
        try:
            while any(consumer.position([TopicPartition(*place)])[0].offset < end for place, end in ends.items()):
                message = consumer.poll(10)
                assert message is not None, "no record of %s for 10 s" % names
                if message.error():
                    raise KafkaException(message.error())
                found.append(message)
        finally:
            consumer.close()
        return found

    def last_snapshots(self, short="reports"):
        """{(tenant, report): the event's data} of the last record per key."""
        last = {}
        for message in self.records(short):
            if message.value() is not None:
                last[tuple(message.key().decode().split("/"))] = json.loads(message.value())["data"]
        return last


class Feed:
    """Produces events. Every record carries the same timestamp where one is given: what then stands for a missing `time`."""

    def __init__(self, topics, timestamp_ms=None, **settings):
        self.topics, self.timestamp_ms = topics, timestamp_ms
        self.producer = Producer({"bootstrap.servers": topics.kafka.address, "linger.ms": 5, "acks": "all",
                                  "queue.buffering.max.messages": 1000000, "partitioner": "murmur2_random"} | settings)
        self.failed = []

    def delivered(self, error, _):
        if error:
            self.failed.append(error)

    def record(self, topic, key, value, headers=None, timestamp_ms=None):
        at = timestamp_ms or self.timestamp_ms
        self.producer.produce(self.topics.name(topic), value, key, headers=headers, on_delivery=self.delivered,
                              **({"timestamp": at} if at else {}))
        self.producer.poll(0)

    def rows(self, rows):
        """Rows of the generator: KEY<tab>TOPIC<tab>JSON, the topic as crm.<name>."""
        for row in rows:
            key, topic, value = row.rstrip("\n").split("\t", 2)
            self.record(topic.split(".", 1)[1], key, value)

    def events(self, events):
        """CloudEvents as dicts, to the topic of their kind."""
        topic_of = {"deal": "deals", "call": "calls", "email": "emails", "case": "support"}
        for event in events:
            self.record(topic_of.get(event["type"].split(".")[1], "contacts"), event.get("tenantid", "default"), json.dumps(event))
        self.flush()

    def flush(self):
        left = self.producer.flush(120)
        assert left == 0 and not self.failed, "%d records not delivered, %s" % (left, self.failed[:3])


def caught_up(topics, daemon, timeout=180):
    """Waits until everything is read and committed: the group's offsets stand at the end of every topic."""
    group = daemon.config["kafka"]["group.id"]
    ends = topics.ends(topics.into)

    def read():
        daemon.alive()
        done = topics.committed(group)
        return all(done.get(place, 0) >= end for place, end in ends.items() if end)
    wait_until(read, lambda: "all read; behind: %s\n%s" % ({p: (topics.committed(group).get(p), e) for p, e in ends.items() if e}, daemon.log()), timeout, 0.3)


def settle(topics, daemon, redis, timeout=180, reports="reports"):
    """Waits until everything is read, committed and published, and neither Redis nor the output topic changes for a second."""
    caught_up(topics, daemon, timeout)
    quiet(topics, redis, timeout, reports)


def quiet(topics, redis, timeout=60, reports="reports", seconds=1.2):
    """Waits until no report changes for a while, in Redis and on the output topic."""
    state, since, end = None, time.monotonic(), time.monotonic() + timeout
    while time.monotonic() - since < seconds:
        names = sorted(redis.client.scan_iter("crm:*:report:*", count=1000))
        now = (names, redis.client.mget(names) if names else [], topics.ends([topics.name(reports)]))
        if now != state:
            state, since = now, time.monotonic()
        assert time.monotonic() < end, "reports still change after %g s" % timeout
        time.sleep(0.15)
