"""Three Kafka brokers, each of them controller, too: topics with three replicas, of which two must have a record."""
import concurrent.futures
import contextlib
import json

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from servers import Kafka, free_port, wait_until

INTERNAL = ["offsets.topic.replication.factor=3", "transaction.state.log.replication.factor=3", "transaction.state.log.min.isr=2",
            "share.coordinator.state.topic.replication.factor=3", "share.coordinator.state.topic.min.isr=2",
            "leader.imbalance.check.interval.seconds=2"]
CLUSTER_ID = "ZmF1bHQtYmVuY2gtMy1icg"


class Brokers:
    """Answers what the tests ask of one broker; `nodes`: each by itself."""
    kind, replicas, in_sync = "three brokers", 3, 2  # of each topic

    def __init__(self, folder):
        self.folder, ports = folder, [free_port() for _ in range(3)]
        voters = ",".join("%d@127.0.0.1:%d" % (n, port) for n, port in enumerate(ports, 1))
        self.nodes = {n: Kafka(folder / ("broker%d" % n), ["node.id=%d" % n, "controller.quorum.voters=%s" % voters, "min.insync.replicas=2", *INTERNAL],
                               KAFKA_CLUSTER_ID=CLUSTER_ID, KAFKA_CONTROLLER_PORT=str(port), KAFKA_HEAP="256m") for n, port in enumerate(ports, 1)}
        self.address = ",".join(node.address for node in self.nodes.values())
        self.admin = None

    def start(self):
        """All at the same time: two of three must be there before any of them serves."""
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            list(pool.map(Kafka.start, self.nodes.values()))
        self.admin = AdminClient({"bootstrap.servers": self.address})
        wait_until(lambda: len(self.admin.list_topics(timeout=10).brokers) == 3, "three brokers know each other", 60, 0.2)
        return self

    def kill(self):
        for node in self.nodes.values():
            node.kill()

    def known(self):
        """{topic: what any broker says of it}; the one that was asked may have just gone."""
        def ask():
            with contextlib.suppress(KafkaException):
                return self.admin.list_topics(timeout=10).topics
            return None
        return wait_until(ask, "a broker tells of topics", 60, 0.2)

    def partitions(self, topic):
        return self.known()[topic].partitions

    def leader_of(self, topic, partition):
        """Number of the broker; waits until there is one."""
        return wait_until(lambda: max(0, self.partitions(topic)[partition].leader), "%s/%d has a leader" % (topic, partition), 60, 0.2)

    def wait_in_sync(self, topics):
        """Until every replica of every partition has all: the next broker may go."""
        def behind():
            known = self.known()
            return [(topic, number) for topic in topics for number, part in known[topic].partitions.items() if len(part.isrs) < 3 or part.leader < 1]
        wait_until(lambda: not behind(), lambda: "all replicas are in sync, but for %s" % behind(), 90, 0.2)

    def reassign(self, topics):
        """Each partition gets another order of its replicas, and so soon another leader."""
        known = self.known()
        want = {(topic, number): part.replicas[1:] + part.replicas[:1] for topic in topics for number, part in sorted(known[topic].partitions.items())}
        plan = self.folder / "reassignment.json"
        plan.write_text(json.dumps({"version": 1, "partitions": [{"topic": t, "partition": n, "replicas": r} for (t, n), r in want.items()]}), encoding="utf-8")
        self.nodes[1].broker("tool", "org.apache.kafka.tools.reassign.ReassignPartitionsCommand", "--bootstrap-server", self.address,
                             "--reassignment-json-file", plan, "--execute")

        def led_by_another():
            topics_now = self.known()
            return [place for place, replicas in want.items() if topics_now[place[0]].partitions[place[1]].leader != replicas[0]]
        wait_until(lambda: not led_by_another(), lambda: "leaders have changed, but for %s" % led_by_another(), 60, 0.3)
