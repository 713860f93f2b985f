"""A Redis Cluster of three primaries with a replica each: events through Kafka, while a primary is lost with a replica that is
behind, slots move, nodes fail over when asked to, the daemon is killed. Every answer equals a replay in memory."""
import json
import os
import random
import signal
import subprocess
import sys
import time

import ask
import pytest
import redis as redis_client
from redis_groups import Cluster
from servers import TESTS, free_port, wait_until
from stream import Feed, settle
from test_end_to_end import check_documents, days_of, milliseconds
from test_faults import CLOCK, leads
from test_sentinel import counts as counts_of

SEED = int(os.environ.get("SEED", random.randrange(1_000_000)))
TENANTS = ["t%d" % n for n in range(12)]  # on all three primaries


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path / "redis")
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def feed(topics):
    return Feed(topics, milliseconds(CLOCK))


def feed_leads(feed, first, last, tenants=TENANTS):
    for tenant in tenants:
        for each in leads(first, last, tenant):
            feed.record("contacts", tenant, json.dumps(each))
    feed.flush()


def counts(worker, metric="leads", tenants=TENANTS):
    return counts_of(worker, metric, tenants)


def wait_counts(worker, want, timeout=90, tenants=TENANTS):
    wait_until(lambda: counts(worker, tenants=tenants) == [want] * len(tenants),
               lambda: "%s, not %d\n%s" % (counts(worker, tenants=tenants), want, worker.log()), timeout, 0.5)


def published_as_stored(topics, cluster):
    stored, sent = ask.snapshots(cluster), topics.last_snapshots()
    assert stored.keys() == sent.keys() and all(ask.bare(sent[key]) == ask.bare(stored[key]) for key in stored)


def test_tenants_spread_and_are_counted(topics, cluster, daemon, feed):
    worker = daemon(topics, cluster, clock=CLOCK).start()
    feed_leads(feed, 0, 50)
    settle(topics, worker, cluster)
    assert counts(worker) == [50] * len(TENANTS)
    assert {cluster.owner("crm:{%s}:state" % tenant) for tenant in TENANTS} == set(cluster.primaries())
    used = cluster.client.hgetall("crm:slots:{crm:tenants}")
    slots = {str(cluster.client.keyslot(tenant)) for tenant in TENANTS} | {str(cluster.client.keyslot("crm:tenants"))}
    assert used == dict.fromkeys(slots, "used")
    marks = [cluster.client.hgetall(key) for key in cluster.client.scan_iter("crm:marks:*")]
    assert len(marks) == len(slots) and all(each == marks[0] for each in marks)
    published_as_stored(topics, cluster)


def test_a_replica_that_is_behind_takes_over(topics, cluster, daemon, feed):
    worker = daemon(topics, cluster, clock=CLOCK).start()
    feed_leads(feed, 0, 100)
    settle(topics, worker, cluster)
    primary = cluster.owner("crm:{t0}:state")
    replica = cluster.replica_of(primary)
    replica.cut_off(primary)
    feed_leads(feed, 100, 300)
    settle(topics, worker, cluster)
    primary.kill()
    cluster.wait_taken_over(replica)
    worker.wait_says("state_changed", timeout=60)
    feed_leads(feed, 300, 310)
    wait_counts(worker, 310)
    settle(topics, worker, cluster)
    assert counts(worker, "duplicate_events") == [0] * len(TENANTS)
    published_as_stored(topics, cluster)


def test_a_shard_set_back_while_the_daemon_is_away(topics, cluster, daemon, feed):
    """Nothing in the daemon's memory tells that anything is missing: the marks of those slots do."""
    worker = daemon(topics, cluster, clock=CLOCK).start()
    feed_leads(feed, 0, 100)
    settle(topics, worker, cluster)
    primary = cluster.owner("crm:{t1}:state")
    replica = cluster.replica_of(primary)
    replica.cut_off(primary)
    feed_leads(feed, 100, 200)
    settle(topics, worker, cluster)
    worker.kill()
    primary.kill()
    cluster.wait_taken_over(replica)
    worker.start().wait_ready(60)
    wait_counts(worker, 200)
    assert counts(worker, "duplicate_events") == [0] * len(TENANTS)


def test_others_go_on_while_a_shard_is_out(topics, cluster, daemon, feed):
    """Neither primary nor replica: its tenants wait, also when the daemon is started meanwhile, and miss nothing."""
    for node in cluster.nodes:
        node.client.config_set("cluster-require-full-coverage", "no")
    worker = daemon(topics, cluster, clock=CLOCK).start()
    feed_leads(feed, 0, 50)
    settle(topics, worker, cluster)
    home = cluster.owner("crm:tenants")
    primary = next(node for node in cluster.primaries() if node is not home)
    replica, owner = cluster.replica_of(primary), {tenant: cluster.owner("crm:{%s}:state" % tenant) for tenant in TENANTS}
    others, waiting = [t for t in TENANTS if owner[t] is not primary], [t for t in TENANTS if owner[t] is primary]
    assert others and waiting
    replica.kill()
    primary.kill()
    feed_leads(feed, 50, 100)
    wait_counts(worker, 100, 60, others)
    wait_until(lambda: all(new_leads(owner[t], t) == 100 for t in others), "they are published, too")
    worker.kill()
    worker.start()
    feed_leads(feed, 100, 150)
    wait_counts(worker, 150, 60, others)
    primary.start()
    replica.start()
    feed_leads(feed, 150, 160)
    cluster.wait_whole()
    wait_counts(worker, 160)
    settle(topics, worker, cluster)
    assert counts(worker, "duplicate_events") == [0] * len(TENANTS)
    published_as_stored(topics, cluster)


def test_home_forgets_which_slots_are_in_use(topics, cluster, daemon, feed):
    """Its server lost its last second, in which a tenant was the first of its slot: that slot's marks are looked after again."""
    worker = daemon(topics, cluster, clock=CLOCK).start()
    feed_leads(feed, 0, 20, TENANTS[:2])
    settle(topics, worker, cluster)
    home = [key for key in cluster.client.scan_iter("crm:*") if key.startswith(("crm:tenants", "crm:slots"))]
    home.append(next(key for key in cluster.client.scan_iter("crm:marks*") if cluster.slot(key) == cluster.slot("crm:tenants")))
    before = {key: cluster.dump(key) for key in home}
    feed_leads(feed, 0, 20)
    settle(topics, worker, cluster)
    worker.kill()
    for key, value in before.items():
        cluster.restore(key, value)
    worker.start()
    settle(topics, worker, cluster)
    used = cluster.client.hgetall("crm:slots:{crm:tenants}")
    assert {tenant: used.get(str(cluster.slot("crm:{%s}:state" % tenant))) for tenant in TENANTS} == dict.fromkeys(TENANTS, "used")
    assert cluster.client.smembers("crm:tenants") == set(TENANTS)
    wait_until(lambda: len({tuple(sorted(cluster.client.hgetall(key).items())) for key in cluster.client.scan_iter("crm:marks*")}) == 1,
               "marks are the same in all slots")
    wait_counts(worker, 20)


@pytest.mark.parametrize("has_replica", [False, True])
def test_a_primary_that_hangs_is_back_at_once(topics, cluster, daemon, feed, has_replica):
    """It takes connections and says nothing. Whoever began meanwhile hears within moments that it goes on, or that another took its place."""
    for node in cluster.nodes:
        node.client.config_set("cluster-require-full-coverage", "no")
    worker = daemon(topics, cluster, clock=CLOCK, listen="127.0.0.1:%d" % free_port()).start()
    feed_leads(feed, 0, 50)
    settle(topics, worker, cluster)
    home = cluster.owner("crm:tenants")
    primary = next(node for node in cluster.primaries() if node is not home)
    replica = cluster.replica_of(primary)
    worker.kill()
    if not has_replica:
        replica.kill()
    primary.process.send_signal(signal.SIGSTOP)
    try:
        worker.start()
        feed_leads(feed, 50, 60)
        if has_replica:
            wait_until(lambda: cluster.is_primary(replica), "the replica is promoted", 60, 0.1)
        else:
            time.sleep(6)
            assert not worker.says_ready()
    finally:
        began = time.monotonic()
        if not has_replica:
            primary.process.send_signal(signal.SIGCONT)
    worker.wait_says_ready()
    assert time.monotonic() - began < 4, "so long as a command may take nobody may wait here"
    primary.process.send_signal(signal.SIGCONT)
    wait_counts(worker, 60)


def new_leads(node, tenant):
    """As published: the number of all of them, without JSON."""
    return int(node.client.hget("crm:{%s}:metrics:this_month" % tenant, "leads") or 0)


def test_slots_move_and_nodes_change_places(topics, cluster, daemon, feed):
    worker = daemon(topics, cluster, clock=CLOCK, listen="127.0.0.1:%d" % free_port()).start()
    feed_leads(feed, 0, 50)
    wait_counts(worker, 50)
    for n, key in enumerate(("crm:{t2}:state", "crm:tenants", "crm:{t3}:state")):
        assert cluster.move_slot(key) > 0
        feed_leads(feed, 50 + 50 * n, 100 + 50 * n)
    cluster.hand_over(cluster.owner("crm:{t4}:state"))
    feed_leads(feed, 200, 250)
    wait_counts(worker, 250)
    settle(topics, worker, cluster)
    assert counts(worker, "duplicate_events") == [0] * len(TENANTS)
    published_as_stored(topics, cluster)


def test_a_slot_stays_half_moved(topics, cluster, daemon, feed):
    """Its tenant waits: what there is of it is not taken for all."""
    worker = daemon(topics, cluster, clock=CLOCK).start()
    feed_leads(feed, 0, 50)
    wait_counts(worker, 50)

    def half_way():
        feed_leads(feed, 50, 100)
        worker.wait_says("giving this slot away")
        time.sleep(2)
    assert cluster.move_slot("crm:{t6}:state", half_way) > 5
    wait_counts(worker, 100)
    settle(topics, worker, cluster)
    assert counts(worker, "duplicate_events") == [0] * len(TENANTS)
    published_as_stored(topics, cluster)


def test_a_shard_emptied(topics, cluster, daemon, feed):
    """Its marks are gone with its tenants; the topics reach back."""
    worker = daemon(topics, cluster, clock=CLOCK).start()
    feed_leads(feed, 0, 100)
    settle(topics, worker, cluster)
    before = {tenant: ask.cells(cluster, tenant) for tenant in TENANTS}
    worker.kill()
    cluster.owner("crm:{t5}:state").client.flushall()
    worker.start().wait_ready(60)
    wait_counts(worker, 100)
    settle(topics, worker, cluster)
    assert {tenant: ask.cells(cluster, tenant) for tenant in TENANTS} == before


def test_exact_under_everything(topics, cluster, daemon, binary, tmp_path):
    print("SEED=%d" % SEED)
    rng, events = random.Random(SEED), tmp_path / "events.tsv"
    subprocess.run([sys.executable, TESTS / "model" / "generate.py", "--seed", str(SEED), "--events", "40000", "--tenants", "12", "--repeat", "2%",
                    "--late", "5%", "--bad", "0.2%", "--out", events], check=True)
    rows = events.read_text(encoding="utf-8").splitlines(keepends=True)
    feed, tenants = Feed(topics, milliseconds(CLOCK)), sorted({row.split("\t", 1)[0] for row in rows})
    workers = [daemon(topics, cluster, clock=CLOCK).start() for _ in range(2)]
    faults = ["kill", "slot", "slot", "slot", "crash", "failover", "kill", "kill", "slot", "failover", "kill"]
    rng.shuffle(faults)
    size = len(rows) // (len(faults) + 1) + 1
    for n, fault in enumerate(faults):
        feed.rows(rows[n * size:(n + 1) * size])
        time.sleep(rng.uniform(0.05, 0.8))
        key = "crm:{%s}:state" % rng.choice(tenants)
        if fault == "kill":
            victim = rng.choice(workers)
            victim.kill()
            victim.start()
        elif fault == "slot":
            cluster.move_slot(key)
        elif fault == "failover":
            cluster.hand_over(cluster.owner(key))
        else:
            primary = cluster.owner(key)
            replica = cluster.replica_of(primary)
            primary.kill()
            cluster.wait_taken_over(replica)
            primary.start()
    feed.rows(rows[len(faults) * size:])
    feed.flush()
    cluster.connect()
    worker = workers[0]
    settle(topics, worker, cluster, 300)
    plain = tmp_path / "events.ndjson"
    plain.write_text("".join(row.split("\t", 2)[2] for row in rows), encoding="utf-8")
    queries = ask.everything(dict.fromkeys(tenants, {}), days_of(CLOCK), SEED)
    ask.assert_same(queries, ask.replayed(binary, CLOCK, {}, queries, [plain]), ask.live(worker, queries))
    published_as_stored(topics, cluster)
    check_documents(ask.snapshots(cluster), binary, CLOCK, {}, plain)
    status, out, err = worker.command("verify")
    assert status == 0, out + err


def test_rebuild_and_verify(topics, cluster, daemon, feed):
    worker = daemon(topics, cluster, clock=CLOCK).start()
    feed_leads(feed, 0, 30)
    settle(topics, worker, cluster)
    status, out, err = worker.command("rebuild", "--all")
    assert status == 0, out + err
    status, out, err = worker.command("verify")
    assert status == 0, out + err
    feed_leads(feed, 30, 60)
    wait_counts(worker, 60)


def make_shipped_user(cluster, name):
    """As config/users.acl has it, its password "secret"."""
    lines = (TESTS.parent / "config" / "users.acl").read_text().splitlines()
    line = next(line for line in lines if line.startswith("user %s " % name))
    for node in cluster.nodes:
        node.client.execute_command("ACL", "SETUSER", *line.replace("resetpass", "on >secret").split()[1:])


def test_the_shipped_rights_of_a_dashboard_are_enough(topics, cluster, daemon, feed):
    """For an ordinary client, which asks for the slots and for what is a key in which command."""
    make_shipped_user(cluster, "dashboard")
    worker = daemon(topics, cluster, clock=CLOCK).start()
    feed_leads(feed, 0, 20)
    settle(topics, worker, cluster)
    dashboard = redis_client.RedisCluster(host="127.0.0.1", port=cluster.nodes[0].port, username="dashboard", password="secret", decode_responses=True)
    assert [json.loads(dashboard.get("crm:{%s}:report:leads" % tenant))["tenant"] for tenant in TENANTS] == list(TENANTS)
    assert all(dashboard.hget("crm:{%s}:metrics:this_month" % tenant, "leads") == "20" for tenant in TENANTS)
    with pytest.raises(redis_client.exceptions.NoPermissionError):
        dashboard.set("crm:{t0}:report:leads", "x")


def test_the_shipped_rights_are_enough(topics, cluster, daemon, feed):
    make_shipped_user(cluster, "crm-reportd")
    worker = daemon(topics, cluster, clock=CLOCK)
    worker.configure(worker.config | {"redis": {"url": cluster.url, "user": "crm-reportd", "password": "secret"}})
    worker.start()
    feed_leads(feed, 0, 20)
    settle(topics, worker, cluster)
    assert counts(worker) == [20] * len(TENANTS)
    assert worker.command("rebuild", "t0")[0] == 0 and worker.command("verify")[0] == 0 and worker.command("check")[0] == 0


def test_check(topics, cluster, daemon):
    worker = daemon(topics, cluster, clock=CLOCK)
    status, out, err = worker.command("check")
    assert status == 0, out + err
    assert all("127.0.0.1:%d answers" % node.port in out for node in cluster.primaries()), out
    assert "cluster-require-full-coverage is yes" in out, out
    for node in cluster.nodes:
        node.client.config_set("cluster-require-full-coverage", "no")
    assert "cluster-require-full-coverage" not in worker.command("check")[1]
    for node in cluster.nodes:
        node.client.execute_command("ACL", "SETUSER", "eve", "on", ">eve", "+@all", "~crm:*", "&crm:*")
    worker.configure(worker.config | {"redis": {"url": cluster.url, "user": "eve", "password": "eve"}})
    assert worker.command("check")[0] == 0
    short = cluster.primaries()[1]
    short.client.execute_command("ACL", "SETUSER", "eve", "-zrangebyscore", "-hgetall")
    status, out, err = worker.command("check")
    assert status == 1 and out.count("may not run HGETALL ZRANGEBYSCORE on crm:* of 127.0.0.1:%d" % short.port) == 1, out + err
    worker.configure(worker.config | {"redis": {"url": "redis://127.0.0.1:%d" % cluster.nodes[0].port}})
    status, out, err = worker.command("check")
    assert status != 0 and "expected redis-cluster://" in out + err, out + err


def outlives_a_primary(topics, worker, feed, cluster):
    """Twenty leads before, twenty after."""
    feed_leads(feed, 0, 20)
    settle(topics, worker, cluster)
    primary = cluster.owner("crm:{t0}:state")
    replica = cluster.replica_of(primary)
    primary.kill()
    cluster.wait_taken_over(replica)
    feed_leads(feed, 20, 40)
    wait_counts(worker, 40)


def test_with_a_password(topics, daemon, feed, tmp_path):
    cluster = Cluster(tmp_path / "redis", password="open-sesame")
    try:
        cluster.start()
        worker = daemon(topics, cluster, clock=CLOCK)
        worker.configure(worker.config | {"redis": {"url": cluster.url, "password": "open-sesame"}})
        worker.start()
        outlives_a_primary(topics, worker, feed, cluster)
        assert "open-sesame" not in worker.whole_log()
    finally:
        cluster.stop()
