"""Alerts as those who subscribe to them meet them: raised once, cleared once, whatever happens to the daemon, to Redis, to the topic."""
import json
import random
import signal
import time
from datetime import datetime, timedelta, timezone

import jsonschema
import pytest
from servers import TESTS, wait_until
from stream import Feed, quiet, settle
from test_faults import CLOCK, NOW_MS, event

SCHEMA = json.loads((TESTS.parent / "config/schemas/alert.schema.json").read_text(encoding="utf-8"))
BUSY = {"name": "many_leads", "metric": "leads", "period": "this_month", "above": 10, "clear": 8}
OWNERS = {"name": "busy_owner", "tenant": "acme", "metric": "leads", "period": "this_month", "by": ["owner"], "above": 3}


def leads(first, last, owner="u1", tenant="acme", time_="2026-03-10T08:00:00Z"):
    return [event(n, tenant=tenant, owner=owner, time_=time_) for n in range(first, last)]


def gone(first, last, tenant="acme"):
    """Late events that undo: these leads were deleted at the very day they came."""
    return [event(100000 + n, "crm.contact.deleted", "c%d" % n, tenant=tenant, time_="2026-03-10T09:00:00Z") for n in range(first, last)]


def told(topics):
    """[(rule, row, "raised" or "cleared")] as they came, by id each once."""
    seen, found = set(), []
    for record in topics.records("alerts"):
        made = json.loads(record.value())
        jsonschema.validate(made, SCHEMA)
        assert record.key().decode() == "%s/%s" % (made["tenantid"], made["subject"])
        assert made["id"] == "%s/%d" % (record.key().decode(), made["data"]["version"])
        assert made["type"] == "crm.alert." + made["data"]["state"]
        if made["id"] not in seen:
            found.append((made["subject"], made["data"]["row"].get("owner"), made["data"]["state"]))
        seen.add(made["id"])
    return found


def repeated(topics):
    """Ids that were sent more than once."""
    ids = [json.loads(record.value())["id"] for record in topics.records("alerts")]
    return {one for one in ids if ids.count(one) > 1}


def wait_told(topics, worker, want, timeout=60):
    wait_until(lambda: told(topics) == want, lambda: "alerts %s, not %s\n%s" % (want, told(topics), worker.log()), timeout, 0.3)


def unsent(redis, tenant="acme"):
    return redis.client.hlen("crm:{%s}:alerts:unsent" % tenant)


@pytest.fixture
def feed(topics):
    return Feed(topics, NOW_MS)


@pytest.fixture
def redis(redis_server):
    return redis_server()


def test_raised_once_and_cleared_once(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK, alerts=[BUSY, OWNERS]).start()
    feed.events(leads(0, 3))
    settle(topics, worker, redis)
    assert told(topics) == []
    feed.events(leads(3, 20))
    wait_told(topics, worker, [("busy_owner", "u1", "raised"), ("many_leads", None, "raised")])
    for n in range(20, 25):
        feed.events(leads(n, n + 1))
        time.sleep(0.3)
    settle(topics, worker, redis)
    assert len(told(topics)) == 2, "one per transition, not per refresh"
    raised = {made["subject"]: made for made in (json.loads(record.value()) for record in topics.records("alerts"))}
    data = raised["busy_owner"]["data"]
    assert data["row"] == {"owner": "u1"} and data["value"] > 3 and data["above"] == 3 and data["metric"] == "leads"
    assert (data["from"], data["to"]) == ("2026-03-01", "2026-03-31")
    feed.events(gone(0, 16))  # 9 are left: within the hysteresis
    settle(topics, worker, redis)
    assert len(told(topics)) == 2
    feed.events(gone(16, 25))
    wait_told(topics, worker, [("busy_owner", "u1", "raised"), ("many_leads", None, "raised"), ("busy_owner", "u1", "cleared"), ("many_leads", None, "cleared")])
    assert unsent(redis) == 0 and not repeated(topics)
