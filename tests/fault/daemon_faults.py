"""What happens to instances of the daemon. Each fault is a function of the world and of chance."""
import signal
import time

from world import SESSION_S, pause


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
