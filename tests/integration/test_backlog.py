"""Far behind in some partitions: what comes in the others is counted at once all the same."""
import json

from servers import wait_until
from stream import Feed, settle

TENANTS = ["acme", "globex", "initech", "umbrella"]  # one of each partition …
PLACES = 2 * len(TENANTS)  # … of two topics
BACKLOG = 40000  # records of each


def event(kind, verb, tenant, subject, number):
    return json.dumps({"specversion": "1.0", "id": "%s-%d" % (kind, number), "source": "/crm", "type": "crm.%s.%s.v1" % (kind, verb), "tenantid": tenant,
                       "subject": subject, "time": "2026-03-%02dT10:00:00Z" % (1 + number % 28), "data": {"pipeline": "new"}})


def counted(redis, tenant):
    state = redis.client.hgetall("crm:{%s}:state" % tenant)
    return sum(int(value.split()[0]) for field, value in state.items() if field.startswith("position:"))


def test_who_has_much_to_read_does_not_hold_up_the_others(daemon, redis_server, topics):
    redis, feed = redis_server(), Feed(topics, **{"compression.codec": "lz4", "linger.ms": 20})
    for number in range(BACKLOG):
        for partition, tenant in enumerate(TENANTS):
            feed.producer.produce(topics.name("deals"), event("deal", "changed", tenant, "D-%d" % (number % 5000), number), tenant, partition)
            feed.producer.produce(topics.name("calls"), event("call", "completed", tenant, "C-%d" % (number % 5000), number), tenant, partition)
        feed.producer.poll(0)
    feed.flush()
    instance = daemon(topics, redis, clock="2026-04-01T00:00:00Z")
    instance.start()
    wait_until(lambda: any(counted(redis, tenant) for tenant in TENANTS), "the backlog is being counted", every=0.02)
    feed.record("support", "late", event("case", "created", "late", "S-1", 1))
    feed.flush()
    wait_until(lambda: counted(redis, "late"), "the case is counted", every=0.02)
    done = sum(counted(redis, tenant) for tenant in TENANTS)
    assert done < PLACES * BACKLOG / 2, "%d of %d older records were counted before it" % (done, PLACES * BACKLOG)
    settle(topics, instance, redis)
    assert sum(counted(redis, tenant) for tenant in TENANTS) == PLACES * BACKLOG
