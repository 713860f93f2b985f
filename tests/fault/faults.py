"""Which faults there are, and how often each comes. A fault begins and ends in its function; what stays undone the world heals in the end."""
import daemon_faults as daemon
import group_faults as group
import kafka_faults as kafka
import redis_faults as redis
from brokers import Brokers
from servers import Kafka
from stores import Sharded, Single, Watched

OF_DAEMON = [(daemon.kill_9, 6), (daemon.sigterm, 3), (daemon.sigstop_beyond_the_session, 2), (daemon.sigstop_for_a_moment, 3),
             (daemon.an_instance_joins, 3), (daemon.an_instance_leaves, 3)]
OF_TOPICS = [(kafka.partitions_added, 2), (kafka.output_topic_refused, 2), (kafka.all_events_come, 2)]
OF_KAFKA = {Kafka: [(kafka.broker_killed, 1)],
            Brokers: [(kafka.leader_killed, 5), (kafka.broker_stands_still, 3), (kafka.broker_restarted, 3), (kafka.leaders_moved, 3)]}
OF_REDIS = {
    Single: [(redis.connections_cut, 4), (redis.cut_in_the_middle_of_a_commit, 6), (redis.redis_slow, 2), (redis.redis_unreachable, 2),
             (redis.redis_unreachable_beyond_the_session, 1), (redis.redis_disk_full, 3), (redis.redis_killed, 3), (redis.redis_loses_its_tail, 4),
             (redis.redis_backup_taken, 2), (redis.redis_set_back_to_the_backup, 3), (redis.redis_emptied, 2), (redis.redis_out_of_memory, 2),
             (redis.redis_read_only, 2), (redis.redis_wants_replicas, 1), (redis.redis_stands_still, 1),
             (redis.failover_to_a_replica_that_is_behind, 3)],
    Watched: [(group.watched_primary_killed, 5), (group.watched_replica_behind_promoted, 6), (group.watched_failover_asked_for, 4),
              (group.watched_primary_stands_still, 3), (group.watched_primary_pauses, 2), (group.watched_emptied, 2), (group.clients_cut_off, 4)],
    Sharded: [(group.shard_primary_killed, 4), (group.shard_replica_behind_takes_over, 5), (group.shard_failover_asked_for, 4),
              (group.shard_stands_still, 3), (group.shard_pauses, 2), (group.shard_out, 2), (group.shard_emptied, 2), (group.slot_moved, 5),
              (group.slot_moved_slowly, 3), (group.clients_cut_off, 4)]}


def possible(world):
    """(fault, how often) of those that this world's servers can have."""
    return OF_DAEMON + OF_TOPICS + OF_KAFKA[type(world.kafka)] + OF_REDIS[type(world.store)]


def choose(world, rng):
    faults = possible(world)
    return rng.choices([fault for fault, _ in faults], [weight for _, weight in faults])[0]


def named(world, name):
    return next(fault for fault, _ in possible(world) if fault.__name__ == name)


def in_words(fault):
    return fault.__name__.replace("_", " ")
