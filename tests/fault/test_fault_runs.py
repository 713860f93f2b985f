"""Faults at random, from a seed, against real servers: in the end every answer, every document and every record of the reports'
topic equals a replay. FAULT_RUNS says how many runs, FAULT_SEED the first seed; each run prints its seed and what it did."""
import os
import random

import pytest
from faults import choose
from world import World

RUNS = int(os.environ.get("FAULT_RUNS", "10"))
FIRST = int(os.environ.get("FAULT_SEED", random.randrange(1_000_000)))
EVENTS = int(os.environ.get("FAULT_EVENTS", "4000"))
FAULTS_PER_RUN = int(os.environ.get("FAULT_NUMBER", "8"))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS))
def test_exact_after_faults(seed, kafka, topics, daemon, binary, tmp_path):
    rng = random.Random(seed)
    print("FAULT_SEED=%d FAULT_RUNS=1" % seed)
    world = World(seed, EVENTS, kafka, topics, daemon, tmp_path)
    try:
        for _ in range(rng.randint(1, 3)):
            world.add_instance()
        world.instances[0].wait_ready()
        for _ in range(FAULTS_PER_RUN):
            world.feed_some(rng)
            fault = choose(rng)
            print("  %5d of %d events fed; %s" % (world.fed, len(world.rows), fault.__name__.replace("_", " ")), flush=True)
            fault(world, rng)
        world.settle()
        world.check(binary)
    finally:
        world.close()
