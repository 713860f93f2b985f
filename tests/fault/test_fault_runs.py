"""Faults at random, from a seed, against real servers: in the end every answer, every document and every record of the reports'
topic equals a replay. FAULT_RUNS says how many runs, FAULT_SEED the first seed; each run prints its seed and what it did."""
import os
import random
import time

import pytest
from faults import choose, in_words, named
from stores import Sharded, Single, Watched
from stream import Topics
from world import World

RUNS = int(os.environ.get("FAULT_RUNS", "10"))
FIRST = int(os.environ.get("FAULT_SEED", random.randrange(1_000_000)))
EVENTS = int(os.environ.get("FAULT_EVENTS", "4000"))
FAULTS_PER_RUN = int(os.environ.get("FAULT_NUMBER", "8"))
PLAN = os.environ.get("FAULT_PLAN", "").split()  # names of faults, instead of chance
STORES = {"single": (Single, 12), "watched": (Watched, 3), "sharded": (Sharded, 5)}  # how often
BROKERS = {"1": 5, "3": 1}


def drawn(rng, how_often, variable):
    """One of the names by chance; or the one that the environment names."""
    by_chance = rng.choices(list(how_often), list(how_often.values()))[0]
    return os.environ.get(variable, by_chance)


def draw(seed):
    """Chance, and what it says of the servers: how many brokers, which kind of Redis."""
    rng = random.Random(seed)
    return rng, drawn(rng, BROKERS, "FAULT_BROKERS"), STORES[drawn(rng, {name: often for name, (_, often) in STORES.items()}, "FAULT_REDIS")][0]


def run(world, rng, done):
    """`done`: takes the faults as they come."""
    began = time.monotonic()

    def say(what):
        print("  %5.1f s, %5d of %d events fed: %s" % (time.monotonic() - began, world.fed, len(world.rows), what), flush=True)
    for _ in range(rng.randint(1, 3)):
        world.add_instance()
    world.instances[0].wait_ready(60)
    for n in range(len(PLAN) or FAULTS_PER_RUN):
        world.feed_some(rng)
        fault = named(world, PLAN[n]) if PLAN else choose(world, rng)
        say(in_words(fault))
        done.append(in_words(fault))
        fault(world, rng)
        world.look_at_offsets()
    say("faults are over")
    world.settle()
    say("at rest")


@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS))
def test_exact_after_faults(seed, request, daemon, binary, tmp_path, record_property):
    (rng, brokers, kind), done = draw(seed), []
    kafka = request.getfixturevalue({"1": "kafka", "3": "three_brokers"}[brokers])
    store = kind(tmp_path)
    try:
        servers = "%s, %s" % (kafka.kind, store.kind)
        print("FAULT_SEED=%d FAULT_RUNS=1   %s" % (seed, servers))
        for name, value in (("seed", seed), ("servers", servers), ("faults", done)):
            record_property(name, value)
        topics = Topics(kafka, "f%d" % seed)
        world = World(seed, EVENTS, topics, store, daemon, tmp_path)
        run(world, rng, done)
        world.check(binary)
        world.end()
        topics.delete()
    finally:
        store.close()
