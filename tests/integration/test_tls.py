"""Redis over TLS: alone, under sentinels, as a cluster; who is trusted, and which name the certificate must bear. Skipped where the
daemon was built without (hiredis 0.14 of Debian 12 has none)."""
import subprocess

import pytest
from redis_groups import Cluster, Node, SentinelGroup, Tls
from stream import Feed, settle
from test_cluster import TENANTS as SPREAD
from test_cluster import counts, feed_leads, outlives_a_primary, wait_counts
from test_end_to_end import milliseconds
from test_faults import CLOCK


@pytest.fixture
def tls(binary, tmp_path):
    linked = subprocess.run(["ldd", binary], capture_output=True, text=True, timeout=60, check=True).stdout
    if "hiredis_ssl" not in linked:
        pytest.skip("this hiredis has no TLS")
    return Tls(tmp_path / "certificates")


@pytest.fixture
def feed(topics):
    return Feed(topics, milliseconds(CLOCK))


def settings(tls, url, **more):
    return {"redis": {"url": url, "ca_file": str(tls.authority)} | more}


def configured(worker, tls, url, **more):
    worker.configure(worker.config | settings(tls, url, **more))
    return worker


def test_alone_with_a_password(topics, daemon, feed, tls, tmp_path):
    redis = Node(tmp_path / "redis", password="open-sesame", tls=tls).start()
    try:
        redis.url = "rediss://127.0.0.1:%d" % redis.port
        worker = configured(daemon(topics, redis, clock=CLOCK), tls, redis.url, password="open-sesame").start()
        feed_leads(feed, 0, 20)
        settle(topics, worker, redis)
        assert counts(worker) == [20] * len(SPREAD)
    finally:
        redis.kill()


def test_who_is_not_trusted_is_refused(topics, daemon, tls, tmp_path):
    redis = Node(tmp_path / "redis", tls=tls).start()
    try:
        redis.url = "rediss://127.0.0.1:%d" % redis.port
        for url, ca_file, word in ((redis.url, Tls(tmp_path / "others").authority, "certificate"),
                                   (redis.url.replace("127.0.0.1", "127.0.0.2"), tls.authority, "mismatch")):
            worker = daemon(topics, redis, clock=CLOCK)
            worker.configure(worker.config | {"redis": {"url": url, "ca_file": str(ca_file)}})
            status, out, err = worker.command("check")
            assert status != 0 and word in (out + err).lower(), out + err
    finally:
        redis.kill()


def test_under_sentinels(topics, daemon, feed, tls, tmp_path):
    group = SentinelGroup(tmp_path / "redis", tls=tls)
    try:
        group.start()
        worker = configured(daemon(topics, group, clock=CLOCK), tls, group.url).start()
        feed_leads(feed, 0, 20)
        settle(topics, worker, group)
        group.primary.kill()
        group.wait_promoted()
        worker.wait_says("state_changed", timeout=60)
        feed_leads(feed, 20, 40)
        wait_counts(worker, 40)
    finally:
        group.stop()


def test_a_cluster(topics, daemon, feed, tls, tmp_path):
    cluster = Cluster(tmp_path / "redis", tls=tls)
    try:
        cluster.start()
        worker = configured(daemon(topics, cluster, clock=CLOCK), tls, cluster.url).start()
        outlives_a_primary(topics, worker, feed, cluster)
        cluster.move_slot("crm:{t2}:state")
        feed_leads(feed, 40, 60)
        wait_counts(worker, 60)
    finally:
        cluster.stop()
