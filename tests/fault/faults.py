"""The faults, each a function of the world and of chance. It begins one and ends it; what stays undone the world heals in the end."""
import contextlib
import shutil
import signal
import time

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, ResourceType
from servers import wait_until
from world import SESSION_S



def pause(rng, longest=1.5):
    time.sleep(rng.uniform(0.05, longest))


# --- the daemon -------------------------------------------------------------------------------------------------------

def kill_9(world, rng):
    victim = world.any_instance(rng)
    world.ending(victim)
    victim.kill()
    pause(rng)
    victim.start()


def sigterm(world, rng):
    victim = world.any_instance(rng)
    victim.wait_says("event=started")  # before that a signal ends it as it ends any program
    world.ending(victim)
    status, seconds = victim.terminate()
    assert status == 0 and seconds < 8, "SIGTERM: exit status %d after %.1f s\n%s" % (status, seconds, victim.log())
    pause(rng)
    victim.start()


def sigstop_beyond_the_session(world, rng):
    victim = world.any_instance(rng)
    victim.send(signal.SIGSTOP)
    world.feed_some(rng)
    time.sleep(SESSION_S + rng.uniform(0.5, 2))
    victim.send(signal.SIGCONT)


def sigstop_for_a_moment(world, rng):
    victim = world.any_instance(rng)
    victim.send(signal.SIGSTOP)
    pause(rng)
    victim.send(signal.SIGCONT)


def an_instance_joins(world, rng):
    if len(world.instances) < 4:
        world.add_instance()
    pause(rng)


def an_instance_leaves(world, rng):
    if len(world.instances) > 1:
        victim = world.instances.pop(rng.randrange(len(world.instances)))
        victim.wait_says("event=started")
        world.ending(victim)
        victim.terminate()
    pause(rng)


# --- the connection to Redis ------------------------------------------------------------------------------------------

def connections_cut(world, rng):
    rng.choice(world.proxies).cut()


def cut_in_the_middle_of_a_commit(world, rng):
    proxy = rng.choice(world.proxies)
    proxy.cut_after = rng.randrange(1, 200000)
    world.feed_some(rng)
    pause(rng)
    proxy.cut_after = None


def redis_slow(world, rng):
    for proxy in world.proxies:
        proxy.delay_s = rng.uniform(0.01, 0.2)
    world.feed_some(rng)
    pause(rng, 3)
    for proxy in world.proxies:
        proxy.heal()


def redis_unreachable(world, rng):
    for proxy in world.proxies:
        proxy.refuses = True
        proxy.cut()
    world.feed_some(rng)
    pause(rng, 3)
    for proxy in world.proxies:
        proxy.heal()


def redis_unreachable_beyond_the_session(world, rng):
    """All keep their membership: nothing is assigned anew while nobody could do better."""
    def stand_still():
        before = world.members()
        time.sleep(2)
        return before if len(before) == len(world.instances) and world.members() == before else None
    before = wait_until(stand_still, "the group is stable", 90)
    for proxy in world.proxies:
        proxy.refuses = True
        proxy.cut()
    world.feed_some(rng)
    time.sleep(SESSION_S + rng.uniform(1, 3))
    after = world.members()
    for proxy in world.proxies:
        proxy.heal()
    assert after == before, "membership during the outage: %s, before it %s" % (after, before)


# --- Redis ------------------------------------------------------------------------------------------------------------

def redis_killed(world, rng):
    world.redis.kill()
    pause(rng)
    world.redis.start()


def redis_loses_its_tail(world, rng):
    """As by a crash of the machine: the last of the append-only file never came to the disk."""
    world.redis.kill()
    files = sorted((world.redis.folder / "appendonlydir").glob("*.incr.aof"))
    size = files[-1].stat().st_size
    with open(files[-1], "r+b") as file:
        file.truncate(max(0, size - rng.randrange(0, 300000)))
    world.redis.start()
    world.lost_something()


def redis_backup_taken(world, rng):
    shutil.rmtree(world.backup, ignore_errors=True)
    shutil.copytree(world.redis.folder / "appendonlydir", world.backup)
    pause(rng, 0.2)


def redis_set_back_to_the_backup(world, rng):
    if not world.backup.exists():
        redis_backup_taken(world, rng)
        world.feed_some(rng)
        pause(rng)
    world.redis.kill()
    shutil.rmtree(world.redis.folder / "appendonlydir")
    shutil.copytree(world.backup, world.redis.folder / "appendonlydir")
    world.redis.start()
    world.lost_something()


def redis_emptied(world, rng):
    world.redis.client.flushall()
    world.lost_something()
    pause(rng)


def redis_out_of_memory(world, rng):
    world.redis.client.config_set("maxmemory", "1mb")
    world.feed_some(rng)
    pause(rng, 2)
    world.redis.client.config_set("maxmemory", "0")


def redis_disk_full(world, rng):
    """Its append-only file cannot grow: it refuses writes until there is room again."""
    if not world.redis.own_disk:
        pytest.skip("no disk of its own for Redis: mounting one needs root")
    filler = world.redis.folder / "filler"
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    world.feed_some(rng)
    pause(rng, 3)
    filler.unlink()
    wait_until(lambda: world.redis.client.info("persistence")["aof_last_write_status"] == "ok", "Redis writes again", 30)


def redis_read_only(world, rng):
    world.redis.client.execute_command("REPLICAOF", "127.0.0.1", "1")
    world.feed_some(rng)
    pause(rng, 2)
    world.redis.client.execute_command("REPLICAOF", "NO", "ONE")


def redis_wants_replicas(world, rng):
    world.redis.client.config_set("min-replicas-to-write", "1")
    world.feed_some(rng)
    pause(rng, 2)
    world.redis.client.config_set("min-replicas-to-write", "0")


def redis_stands_still(world, rng):
    world.redis.process.send_signal(signal.SIGSTOP)
    pause(rng, 4)
    world.redis.process.send_signal(signal.SIGCONT)


def failover_to_a_replica_that_is_behind(world, rng):
    replica = world.start_replica()
    wait_until(lambda: replica.client.info("replication").get("master_link_status") == "up", "the replica has caught up", 30)
    replica.process.send_signal(signal.SIGSTOP)
    world.feed_some(rng)
    pause(rng)
    world.redis.kill()
    replica.process.send_signal(signal.SIGCONT)
    replica.client.execute_command("REPLICAOF", "NO", "ONE")
    world.promote(replica)
    world.lost_something()


# --- Kafka ------------------------------------------------------------------------------------------------------------

def broker_killed(world, rng):
    world.kafka.kill()
    pause(rng)
    world.kafka.start()


def partitions_added(world, rng):
    topic = rng.choice(world.topics.into)
    n = len(world.topics.admin.list_topics(topic, timeout=30).topics[topic].partitions)
    if n < 6:
        for future in world.topics.admin.create_partitions([NewPartitions(topic, n + 1)]).values():
            future.result(30)
    pause(rng, 0.5)


def output_topic_refused(world, rng):
    def replicas_wanted(n):
        entry = ConfigEntry("min.insync.replicas", str(n), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, world.topics.name("reports"), incremental_configs=[entry])
        for future in world.topics.admin.incremental_alter_configs([resource]).values():
            future.result(30)
    replicas_wanted(2)
    world.feed_some(rng)
    pause(rng, 3)
    replicas_wanted(1)


# what, how often
FAULTS = [(kill_9, 6), (sigterm, 3), (sigstop_beyond_the_session, 2), (sigstop_for_a_moment, 3), (an_instance_joins, 3), (an_instance_leaves, 3),
          (connections_cut, 4), (cut_in_the_middle_of_a_commit, 6), (redis_slow, 2), (redis_unreachable, 2), (redis_unreachable_beyond_the_session, 1), (redis_disk_full, 3),
          (redis_killed, 3), (redis_loses_its_tail, 4), (redis_backup_taken, 2), (redis_set_back_to_the_backup, 3), (redis_emptied, 2),
          (redis_out_of_memory, 2), (redis_read_only, 2), (redis_wants_replicas, 1), (redis_stands_still, 1),
          (failover_to_a_replica_that_is_behind, 3), (broker_killed, 1), (partitions_added, 2), (output_topic_refused, 2)]


def choose(rng):
    return rng.choices([fault for fault, _ in FAULTS], [weight for _, weight in FAULTS])[0]
