"""Redis under Sentinel: the primary is lost while its replica is behind, the replica is promoted, and every number is right."""
import json

import ask
import pytest
from redis_groups import SentinelGroup
from servers import free_port, wait_until
from stream import Feed, settle
from test_end_to_end import milliseconds
from test_faults import CLOCK, count, leads

TENANTS = ["t%d" % n for n in range(5)]


@pytest.fixture
def group(tmp_path):
    made = SentinelGroup(tmp_path / "redis")
    try:
        yield made.start()
    finally:
        made.stop()


def feed_leads(feed, first, last):
    for tenant in TENANTS:
        feed.events(leads(first, last, tenant))


def counts(worker, metric="leads", tenants=TENANTS):
    answers = ask.live(worker, [{"tenant": tenant, "metric": metric} for tenant in tenants])
    return [json.loads(answer).get("rows", [{"value": None}])[0]["value"] for answer in answers]


def test_a_replica_that_is_behind_is_promoted(topics, group, daemon):
    feed = Feed(topics, milliseconds(CLOCK))
    worker = daemon(topics, group, clock=CLOCK, listen="127.0.0.1:%d" % free_port()).start()
    feed_leads(feed, 0, 200)
    settle(topics, worker, group)
    group.replica.cut_off(group.primary)
    feed_leads(feed, 200, 400)
    settle(topics, worker, group)
    assert counts(worker) == [400] * 5
    group.primary.kill()
    worker.wait_says("state_unavailable")
    group.wait_promoted()
    wait_until(lambda: group.client.hlen("crm:{t0}:state") > 0, "a client finds it")
    worker.wait_says("state_changed", timeout=60)
    feed_leads(feed, 400, 410)
    wait_until(lambda: counts(worker) == [410] * 5, lambda: "read again: %s\n%s" % (counts(worker), worker.log()), 90, 0.5)
    settle(topics, worker, group)
    assert counts(worker, "duplicate_events") == [0] * 5
    stored, sent = ask.snapshots(group), topics.last_snapshots()
    assert stored.keys() == sent.keys() and all(ask.bare(sent[key]) == ask.bare(stored[key]) for key in stored)


def test_a_failover_that_was_asked_for(topics, group, daemon):
    """Nothing fails: the primary becomes a replica, and says so to who still writes there."""
    feed = Feed(topics, milliseconds(CLOCK))
    worker = daemon(topics, group, clock=CLOCK).start()
    feed_leads(feed, 0, 100)
    settle(topics, worker, group)
    group.sentinels[1].client.execute_command("SENTINEL", "FAILOVER", "crm")
    group.wait_promoted()
    feed_leads(feed, 100, 200)
    wait_until(lambda: counts(worker) == [200] * 5, lambda: "gone on: %s\n%s" % (counts(worker), worker.log()), 60, 0.5)
    settle(topics, worker, group)
    assert counts(worker, "duplicate_events") == [0] * 5


def test_check_names_the_primary(topics, group, daemon):
    worker = daemon(topics, group, clock=CLOCK)
    status, out, _ = worker.command("check")
    assert status == 0 and "crm (127.0.0.1:%d/0) answers" % group.primary.port in out, out
    worker.configure(worker.config | {"redis": {"url": group.url.replace("/crm", "/sales")}})
    status, out, err = worker.command("check")
    assert status != 0 and 'knows no master "sales"' in out + err, out + err


def test_query_without_the_daemon(topics, group, daemon):
    assert count(daemon(topics, group, clock=CLOCK)) == "unknown_tenant"


@pytest.mark.parametrize("own_password", ["", "open-sesame"])
def test_with_passwords(topics, daemon, tmp_path, own_password):
    """Sentinels without one refuse to be told any, and are asked all the same; those with one have that of Redis."""
    group = SentinelGroup(tmp_path / "redis", "open-sesame", own_password)
    secret, feed = tmp_path / "secret", Feed(topics, milliseconds(CLOCK))
    secret.write_text("open-sesame\n")
    try:
        group.start()
        worker = daemon(topics, group, clock=CLOCK)
        worker.configure(worker.config | {"redis": {"url": group.url, "password_file": str(secret)}})
        assert worker.command("check")[0] == 0
        worker.start()
        feed_leads(feed, 0, 50)
        settle(topics, worker, group)
        group.primary.kill()
        group.wait_promoted()
        worker.wait_says("state_changed", timeout=60)
        feed_leads(feed, 50, 100)
        wait_until(lambda: counts(worker) == [100] * 5, lambda: "gone on: %s\n%s" % (counts(worker), worker.log()), 60, 0.5)
        assert "open-sesame" not in worker.whole_log()
    finally:
        group.stop()


def test_a_wrong_password_is_said(topics, daemon, tmp_path):
    group = SentinelGroup(tmp_path / "redis", "open-sesame", "open-sesame")
    try:
        group.start()
        worker = daemon(topics, group, clock=CLOCK)
        worker.configure(worker.config | {"redis": {"url": group.url, "password": "of-before"}})
        status, out, err = worker.command("check")
        assert status != 0 and "sentinel 127.0.0.1:" in out + err and "of-before" not in out + err, out + err
    finally:
        group.stop()
