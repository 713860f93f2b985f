"""Rows of the table of faults that no test of tests/integration is named after; and how long it takes to be back. Measured figures are
printed ("measured: …", pytest -s)."""
import json
import os
import random
import time
from types import SimpleNamespace

import kafka_faults
import pytest
from confluent_kafka.admin import NewPartitions
from proxy import Proxy
from redis_faults import redis_read_only
from servers import wait_until
from stream import Feed, Topics, settle
from test_faults import CLOCK, NOW_MS, count, event, leads

ENTITIES = int(os.environ.get("FAULT_ENTITIES", "50000"))


@pytest.fixture
def feed(topics):
    return Feed(topics, NOW_MS)


@pytest.fixture
def redis(redis_server):
    return redis_server()


def entities(redis, tenant="acme"):
    """Contacts as the last commit left them; 0 when Redis does not answer."""
    try:
        return int((redis.client.hget("crm:{%s}:state" % tenant, "kind:0") or "0").split()[0])
    except OSError:
        return 0
    except Exception as error:  # noqa: BLE001 of the client's many kinds
        assert "redis" in type(error).__module__, error
        return 0


def seconds_until(true, what):
    began = time.monotonic()
    wait_until(true, what, 30, 0.01)
    return time.monotonic() - began


def measured(what, value):
    print("measured: %s %s" % (what, value), flush=True)


def test_kill_9_serving_again_with_many_entities(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK).start().wait_ready()
    feed.events(leads(0, ENTITIES))
    settle(topics, worker, redis, 300)
    worker.kill()
    feed.events(leads(ENTITIES, ENTITIES + 1))
    worker.start()
    took = seconds_until(lambda: worker.alive() and entities(redis) == ENTITIES + 1, "an event is counted after kill -9")
    measured("serving again after kill -9, %d entities in Redis:" % ENTITIES, "%.2f s" % took)
    assert took < 2, "the machine may be busy; alone it is less than a second"
    settle(topics, worker, redis)
    assert count(worker, "duplicate_events") == 0


def test_redis_killed_resumes_by_itself(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK).start().wait_ready()
    feed.events(leads(0, 5000))
    settle(topics, worker, redis)
    group = topics.admin.describe_consumer_groups([worker.config["kafka"]["group.id"]])
    members = {member.member_id for member in list(group.values())[0].result(30).members}
    redis.kill()
    feed.events(leads(5000, 6000))
    time.sleep(8)  # longer than the session
    worker.alive()
    group = topics.admin.describe_consumer_groups([worker.config["kafka"]["group.id"]])
    assert {member.member_id for member in list(group.values())[0].result(30).members} == members, "membership is kept"
    redis.start()
    took = seconds_until(lambda: entities(redis) == 6000, "events are counted after Redis is back")
    measured("counting again after Redis is back:", "%.2f s" % took)
    assert took < 4, "the machine may be busy; alone it is less than two seconds"
    settle(topics, worker, redis)
    assert count(worker) == 6000 and count(worker, "duplicate_events") == 0


def test_redis_read_only_then_fixed(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK).start()
    world = SimpleNamespace(redis=redis, feed_some=lambda _: feed.events(leads(500, 1500)))
    feed.events(leads(0, 500))
    settle(topics, worker, redis)
    redis_read_only(world, random.Random(1))
    settle(topics, worker, redis)
    assert count(worker) == 1500 and count(worker, "duplicate_events") == 0
    assert worker.whole_log().lower().count("readonly") <= 10, "the cause once, not per event"


def published(redis):
    """Leads of this month, as the last documents have them."""
    return int(redis.client.hget("crm:{acme}:metrics:this_month", "leads") or 0)


def test_documents_do_not_wait_for_what_a_slow_redis_took(topics, redis, daemon, feed):
    proxy = Proxy(redis.socket)
    worker = daemon(topics, redis, clock=CLOCK)
    worker.configure(worker.config | {"redis": {"url": "redis://127.0.0.1:%d" % proxy.port}})
    worker.start().wait_ready()
    feed.events(leads(0, 100))
    settle(topics, worker, redis)
    assert published(redis) == 100
    proxy.delay_s = 0.4
    feed.events(leads(100, 110))
    seconds_until(lambda: published(redis) == 110, "documents follow a slow Redis")
    proxy.heal()
    feed.events(leads(110, 120))
    took = seconds_until(lambda: published(redis) == 120, "documents follow")
    proxy.close()
    measured("documents followed after Redis had been slow:", "%.2f s" % took)
    assert took < 3, "a second at most is left of what it took"


def test_topic_grown_by_partitions(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK, kafka={"topic.metadata.refresh.interval.ms": 1000}).start()
    feed.events(leads(0, 500))
    settle(topics, worker, redis)
    for future in topics.admin.create_partitions([NewPartitions(topics.name("contacts"), 7)]).values():
        future.result(30)
    late = Feed(topics, NOW_MS)  # knows the new partitions: tenants move
    late.events(leads(250, 1000))
    late.events(leads(0, 1000, tenant="other"))
    settle(topics, worker, redis)
    assert count(worker) == 1000 and count(worker, tenant="other") == 1000
    assert count(worker, "duplicate_events") == 250


def test_partitions_added_are_assigned_to_one_that_has_not_heard_of_them(topics, redis, daemon, feed):
    """Metadata is asked for every five minutes; another instance that joins knows more and hands them out."""
    worker = daemon(topics, redis, clock=CLOCK).start().wait_ready()
    feed.events(leads(0, 300))
    settle(topics, worker, redis)
    for future in topics.admin.create_partitions([NewPartitions(topics.name("contacts"), 12)]).values():
        future.result(30)
    other = daemon(topics, redis, clock=CLOCK).start().wait_ready()
    late = Feed(topics, NOW_MS)
    for tenant in "abcdefgh":
        late.events(leads(0, 100, tenant=tenant))
    settle(topics, worker, redis, 90)
    assert all(count(other, tenant=tenant) == 100 for tenant in "abcdefgh")


def test_partitions_added_while_a_member_that_keeps_its_name_is_away(topics, redis, daemon, feed):
    """It comes back to what it had, knows the topic as it is now, and has no reason to ask for more."""
    worker = daemon(topics, redis, clock=CLOCK, kafka={"session.timeout.ms": 30_000}).start().wait_ready()
    feed.events(leads(0, 300))
    settle(topics, worker, redis)
    worker.kill()
    for future in topics.admin.create_partitions([NewPartitions(topics.name("contacts"), 12)]).values():
        future.result(30)
    worker.start().wait_ready()
    late = Feed(topics, NOW_MS)
    for tenant in "abcdefgh":
        late.events(leads(0, 100, tenant=tenant))
    settle(topics, worker, redis, 60)
    assert all(count(worker, tenant=tenant) == 100 for tenant in "abcdefgh")
    assert "nobody" in worker.said()


def test_topic_deleted_and_created_anew(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK, kafka={"topic.metadata.refresh.interval.ms": 1000}).start()
    feed.events(leads(0, 300))
    settle(topics, worker, redis)
    name = topics.name("contacts")
    for future in topics.admin.delete_topics([name]).values():
        future.result(30)
    wait_until(lambda: name not in topics.admin.list_topics(timeout=10).topics, "the topic is gone", 60, 0.5)
    time.sleep(2)
    topics.create([name], 4)
    anew = Feed(topics, NOW_MS + 1000)
    anew.events(leads(200, 800))
    wait_until(lambda: count(worker) == 800, lambda: "all counted: %s\n%s" % (count(worker), worker.log()), 90, 0.5)
    settle(topics, worker, redis)
    assert count(worker) == 800


def test_a_tenant_with_a_hundred_times_the_traffic(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK).start().wait_ready()
    feed.events(leads(0, 1, tenant="small"))
    settle(topics, worker, redis)
    feed.producer.flush()
    for number in range(100, 60_000):
        feed.record("contacts", "large", json.dumps(event(number, tenant="large")))
    began = time.monotonic()
    feed.events(leads(1, 2, tenant="small"))
    wait_until(lambda: entities(redis, "small") == 2, "the small tenant's event is counted", 60, 0.01)
    waited, backlog = time.monotonic() - began, entities(redis, "large")
    measured("a small tenant's event waited %.2f s;" % waited, "of the large one's 59,900 events %d were counted by then" % backlog)
    settle(topics, worker, redis, 300)
    assert count(worker, tenant="large") == 59_900 and count(worker, tenant="small") == 2
    assert waited < 10


def test_three_brokers_leaders_lost_stopped_and_moved(three_brokers, redis, daemon):
    """Of the partitions of contacts, and of those where the group keeps its offsets."""
    topics, rng = Topics(three_brokers, "leaders"), random.Random(1)
    feed, fed = Feed(topics, NOW_MS, **{"enable.idempotence": True}), [0]

    def feed_some(_):
        feed.events(leads(fed[0], fed[0] + 250))
        fed[0] += 250
    world = SimpleNamespace(kafka=three_brokers, topics=topics, feed_some=feed_some)
    worker = daemon(topics, redis, clock=CLOCK).start().wait_ready(60)
    feed_some(rng)
    settle(topics, worker, redis)
    home = next(part for (topic, part), end in topics.ends([topics.name("contacts")]).items() if end)
    leader = three_brokers.nodes[three_brokers.leader_of(topics.name("contacts"), home)]
    began = time.monotonic()
    leader.kill()
    feed_some(rng)
    produced = time.monotonic() - began
    wait_until(lambda: entities(redis) == fed[0], "events behind the broker that was lost are counted", 30, 0.01)
    measured("one of three brokers killed, the leader:", "events are taken again after %.2f s, counted after %.2f s" % (produced, time.monotonic() - began))
    leader.start()
    for fault in (kafka_faults.leader_killed, kafka_faults.broker_stands_still, kafka_faults.leaders_moved, kafka_faults.broker_restarted):
        fault(world, rng)
    settle(topics, worker, redis)
    assert count(worker) == fed[0] and count(worker, "duplicate_events") == 0


def partitions_of(topics, worker):
    """Of each member of the group: {(topic, partition)}."""
    group = worker.config["kafka"]["group.id"]
    members = list(topics.admin.describe_consumer_groups([group]).values())[0].result(30).members
    return {member.group_instance_id: {(p.topic, p.partition) for p in member.assignment.topic_partitions} for member in members}


def test_four_instances_share_four_partitions_evenly(topics, redis, daemon, feed):
    workers = [daemon(topics, redis, clock=CLOCK).start() for _ in range(4)]
    for each in workers:
        each.wait_ready(60)
    wait_until(lambda: sorted(map(len, partitions_of(topics, workers[0]).values())) == [len(topics.into)] * 4,
               lambda: "each has its quarter: %s" % partitions_of(topics, workers[0]), 60, 0.5)
    tenants = ["t%02d" % n for n in range(16)]
    for n in range(0, 2000, 100):
        for tenant in tenants:
            feed.events(leads(n, n + 100, tenant=tenant))
    settle(topics, workers[0], redis, 120)
    assert all(count(workers[0], tenant=tenant) == 2000 and count(workers[0], "duplicate_events", tenant=tenant) == 0 for tenant in tenants)
    shares = partitions_of(topics, workers[0])
    end = {place: size for place, size in topics.ends([topics.name("contacts")]).items()}
    records = sorted(sum(end.get(place, 0) for place in share) for share in shares.values())
    measured("records that each of four instances read:", records)
    assert sum(records) == 32_000 and records[0] > 0
    assert all(each.alive() for each in workers)
