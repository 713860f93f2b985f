"""What happens to a single Redis and to the connections to it. Each fault is a function of the world and of chance."""
import contextlib
import shutil
import signal
import subprocess
import time

import pytest
from servers import wait_until
from world import SESSION_S, pause


# --- the connections --------------------------------------------------------------------------------------------------

def connections_cut(world, rng):
    rng.choice(world.store.proxies).cut()


def cut_in_the_middle_of_a_commit(world, rng):
    proxy = rng.choice(world.store.proxies)
    proxy.cut_after = rng.randrange(1, 200000)
    world.feed_some(rng)
    pause(rng)
    proxy.cut_after = None


def redis_slow(world, rng):
    for proxy in world.store.proxies:
        proxy.delay_s = rng.uniform(0.01, 0.2)
    world.feed_some(rng)
    pause(rng, 3)
    for proxy in world.store.proxies:
        proxy.heal()


def redis_unreachable(world, rng):
    for proxy in world.store.proxies:
        proxy.refuses = True
        proxy.cut()
    world.feed_some(rng)
    pause(rng, 3)
    for proxy in world.store.proxies:
        proxy.heal()


def redis_unreachable_beyond_the_session(world, rng):
    """All keep their membership: nothing is assigned anew while nobody could do better."""
    def stand_still():
        before = world.members()
        time.sleep(2)
        return before if len(before) == len(world.instances) and world.members() == before else None
    before = wait_until(stand_still, "the group is stable", 90)
    for proxy in world.store.proxies:
        proxy.refuses = True
        proxy.cut()
    world.feed_some(rng)
    time.sleep(SESSION_S + rng.uniform(1, 3))
    after = world.members()
    for proxy in world.store.proxies:
        proxy.heal()
    assert after == before, "membership during the outage: %s, before it %s" % (after, before)


# --- the server -------------------------------------------------------------------------------------------------------

def start_again(world):
    """Once its disk was full Redis 7.0 may have cut its file at the wrong place, where that was begun anew meanwhile (for a replica); it
    then refuses to start and says how to mend the file, which loses the end of it."""
    manifest = world.redis.folder / "appendonlydir" / "appendonly.aof.manifest"
    checked = subprocess.run(["redis-check-aof", "--fix", manifest], input="y\n", capture_output=True, text=True, check=False)
    if "Successfully truncated" in checked.stdout:
        print("  the append-only file was not whole: mended", flush=True)
        world.lost_something()
    world.redis.start()


def redis_killed(world, rng):
    world.redis.kill()
    pause(rng)
    start_again(world)


def redis_loses_its_tail(world, rng):
    """As by a crash of the machine: the last of the append-only file never came to the disk."""
    world.redis.kill()
    files = sorted((world.redis.folder / "appendonlydir").glob("*.incr.aof"))
    size = files[-1].stat().st_size
    with open(files[-1], "r+b") as file:
        file.truncate(max(0, size - rng.randrange(0, 300000)))
    start_again(world)
    world.lost_something()


def redis_backup_taken(world, rng):
    shutil.rmtree(world.store.backup, ignore_errors=True)
    shutil.copytree(world.redis.folder / "appendonlydir", world.store.backup)
    pause(rng, 0.2)


def redis_set_back_to_the_backup(world, rng):
    if not world.store.backup.exists():
        redis_backup_taken(world, rng)
        world.feed_some(rng)
        pause(rng)
    world.redis.kill()
    shutil.rmtree(world.redis.folder / "appendonlydir")
    shutil.copytree(world.store.backup, world.redis.folder / "appendonlydir")
    start_again(world)
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
    replica = world.store.start_replica()
    wait_until(lambda: replica.client.info("replication").get("master_link_status") == "up", "the replica has caught up", 30)
    replica.process.send_signal(signal.SIGSTOP)
    world.feed_some(rng)
    pause(rng)
    world.redis.kill()
    replica.process.send_signal(signal.SIGCONT)
    replica.client.execute_command("REPLICAOF", "NO", "ONE")
    world.store.promote(replica)
    world.lost_something()
