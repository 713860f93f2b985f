"""What happens to Kafka, to one broker or to one of three, and to topics. Each fault is a function of the world and of chance."""
import signal
import time

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, ResourceType
from world import pause

BROKER_SESSION_S = 3  # broker.session.timeout.ms


def broker_killed(world, rng):
    world.kafka.kill()
    pause(rng)
    world.kafka.start()


def any_leader(world, rng):
    """Of a partition of any topic, those where groups keep their offsets among them."""
    brokers = world.kafka
    topic = rng.choice([*world.topics.all, "__consumer_offsets"])
    return brokers.nodes[brokers.leader_of(topic, rng.choice(sorted(brokers.partitions(topic))))]


def leader_killed(world, rng):
    world.kafka.wait_in_sync(world.topics.all)
    leader = any_leader(world, rng)
    leader.kill()
    world.feed_some(rng)
    pause(rng, 4)
    leader.start()


def broker_stands_still(world, rng):
    """Beyond its session: others lead, until it comes back and hears of it."""
    world.kafka.wait_in_sync(world.topics.all)
    leader = any_leader(world, rng)
    leader.send(signal.SIGSTOP)
    try:
        world.feed_some(rng)
        time.sleep(BROKER_SESSION_S + rng.uniform(0.5, 4))
    finally:
        leader.send(signal.SIGCONT)
    world.feed_some(rng)


def broker_restarted(world, rng):
    """As for maintenance: it hands over what it leads, and ends."""
    world.kafka.wait_in_sync(world.topics.all)
    leader = any_leader(world, rng)
    world.feed_some(rng)
    leader.stop()
    world.feed_some(rng)
    leader.start()


def leaders_moved(world, rng):
    world.kafka.wait_in_sync(world.topics.all)
    world.feed_some(rng)
    world.kafka.reassign(world.topics.all)
    world.feed_some(rng)


def partitions_added(world, rng):
    topic = rng.choice(world.topics.into)
    n = len(world.topics.ends([topic]))
    if n < 6:
        for future in world.topics.admin.create_partitions([NewPartitions(topic, n + 1)]).values():
            future.result(30)
    pause(rng, 0.5)


def all_events_come(world, rng):
    """And everything comes to rest: what happens after that no further event will mend."""
    world.feed_the_rest()
    world.rest()
    pause(rng, 0.5)


def output_topic_refused(world, rng):
    """No record is new enough for it: neither the first try nor those that follow. (More replicas wanted than there are do not stop Kafka 4.)"""
    topic = world.topics.name(rng.choice(["reports", "reports", "alerts", "dead-letter"]))

    def change(value, operation):
        entry = ConfigEntry("message.timestamp.before.max.ms", value, incremental_operation=operation)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        for future in world.topics.admin.incremental_alter_configs([resource]).values():
            future.result(30)
    change("0", AlterConfigOpType.SET)
    world.feed_some(rng)
    pause(rng, 3)
    change(None, AlterConfigOpType.DELETE)
