"""What happens to a primary with a replica under sentinels, and to a Redis Cluster. Each fault is a function of the world and of chance."""
import signal
import time

from servers import wait_until
from world import pause

BEYOND_S = 2.5  # after two seconds without an answer a node counts as failed


# --- sentinels --------------------------------------------------------------------------------------------------------

def watched_primary_killed(world, rng):
    """Its replica takes over; what had not yet reached it is lost."""
    group = world.redis
    group.wait_whole()
    lose_watched_primary(world, rng)


def watched_replica_behind_promoted(world, rng):
    group = world.redis
    group.wait_whole()
    group.replica.cut_off(group.primary)
    world.feed_some(rng)
    pause(rng)
    lose_watched_primary(world, rng)


def lose_watched_primary(world, rng):
    group = world.redis
    group.primary.kill()
    world.lost_something()
    world.feed_some(rng)
    group.wait_promoted()
    pause(rng)
    group.bring_back()


def watched_failover_asked_for(world, rng):
    group = world.redis
    group.wait_whole()
    world.lost_something()  # what the former primary still took
    rng.choice(group.sentinels).client.execute_command("SENTINEL", "FAILOVER", "crm")
    world.feed_some(rng)
    group.wait_promoted()
    pause(rng)


def watched_primary_stands_still(world, rng):
    """Another takes its place, and it does not know when it goes on."""
    group = world.redis
    group.wait_whole()
    group.primary.process.send_signal(signal.SIGSTOP)
    world.lost_something()
    world.feed_some(rng)
    group.wait_promoted()
    pause(rng)
    group.replica.process.send_signal(signal.SIGCONT)
    world.feed_some(rng)


def watched_primary_pauses(world, rng):
    """Too short for a sentinel."""
    stop_for_a_moment(world, rng, world.redis.primary)


def watched_emptied(world, rng):
    world.redis.primary.client.flushall()
    world.lost_something()
    pause(rng)


# --- cluster ----------------------------------------------------------------------------------------------------------

def any_key(world, rng):
    """Of a tenant, or of what all have in common."""
    tenants = sorted({row.split("\t", 1)[0] for row in world.rows})
    return rng.choice(["crm:tenants", *("crm:{%s}:state" % tenant for tenant in tenants)])


def any_primary(world, rng):
    return world.redis.owner(any_key(world, rng))


def shard_primary_killed(world, rng):
    primary = any_primary(world, rng)
    lose_shard_primary(world, rng, primary, world.redis.replica_of(primary))


def shard_replica_behind_takes_over(world, rng):
    primary = any_primary(world, rng)
    replica = world.redis.replica_of(primary)
    replica.cut_off(primary)
    world.feed_some(rng)
    pause(rng)
    lose_shard_primary(world, rng, primary, replica)


def lose_shard_primary(world, rng, primary, replica):
    primary.kill()
    world.lost_something()
    world.feed_some(rng)
    world.redis.wait_taken_over(replica)
    pause(rng)
    primary.start()
    world.redis.wait_whole()


def shard_failover_asked_for(world, rng):
    primary = any_primary(world, rng)
    world.feed_some(rng)
    world.redis.hand_over(primary)
    world.redis.wait_whole()


def shard_stands_still(world, rng):
    """Its replica takes over; it learns that when it goes on."""
    primary = any_primary(world, rng)
    replica = world.redis.replica_of(primary)
    primary.process.send_signal(signal.SIGSTOP)
    world.lost_something()
    world.feed_some(rng)
    try:
        wait_until(lambda: world.redis.is_primary(replica), "the replica is promoted", 60, 0.1)
    finally:
        primary.process.send_signal(signal.SIGCONT)
    world.feed_some(rng)
    wait_until(lambda: not world.redis.is_primary(primary), "the former primary has heard of it", 60, 0.1)
    world.redis.wait_whole()


def shard_pauses(world, rng):
    stop_for_a_moment(world, rng, any_primary(world, rng))


def shard_out(world, rng):
    """Primary and replica: its tenants wait, the others go on."""
    primary = any_primary(world, rng)
    replica = world.redis.replica_of(primary)
    replica.kill()
    primary.kill()
    world.feed_some(rng)
    time.sleep(BEYOND_S + rng.uniform(0, 2))
    world.feed_some(rng)
    primary.start()
    replica.start()
    world.redis.wait_whole()


def shard_emptied(world, rng):
    any_primary(world, rng).client.flushall()
    world.lost_something()
    pause(rng)


def slot_moved(world, rng):
    key = any_key(world, rng)
    world.redis.move_slot(key, lambda: world.feed_some(rng))


def slot_moved_slowly(world, rng):
    def half_way():
        world.feed_some(rng)
        pause(rng, 3)
    world.redis.move_slot(any_key(world, rng), half_way)


# --- both -------------------------------------------------------------------------------------------------------------

def stop_for_a_moment(world, rng, primary):
    """On a busy machine it may be long enough for another to take its place, after all."""
    began = time.monotonic()
    primary.process.send_signal(signal.SIGSTOP)
    world.feed_some(rng)
    pause(rng, 1)
    primary.process.send_signal(signal.SIGCONT)
    if time.monotonic() - began > 1.5:
        world.lost_something()


def clients_cut_off(world, rng):
    """All connections at once, in the middle of whatever they are at."""
    world.feed_some(rng)
    pause(rng, 0.5)
    for node in world.redis.nodes_alive():
        node.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
