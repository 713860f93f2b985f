"""Changed settings hold one tenant and none of the others; `rebuild` counts it anew beside the running daemon: from the topics or
from its entities, killed at any point, while events arrive; afterwards all is as if it had always been counted so."""
import datetime
import json
import os
import random
import signal
import subprocess
import sys
import time

import ask
import pytest
from servers import TESTS, wait_until
from stream import Feed, settle

EVENTS = 6000
OTHER = {"time_zone": "Asia/Kathmandu", "week_start": "sunday", "fiscal_year_start": 4, "currency": "JPY",
         "business_hours": {"monday": [["06:00", "22:00"]]}, "holidays": ["2026-02-02"], "stale_after": 3,
         "custom": {"deal": ["region"]}, "lists": {"source": ["web"]}}


@pytest.fixture
def history(tmp_path):
    """(rows for Kafka, file for replay, settings of tenants, clock)"""
    rows, settings = tmp_path / "events.tsv", tmp_path / "settings.json"
    subprocess.run([sys.executable, TESTS / "model" / "generate.py", "--seed", os.environ.get("SEED", "3"), "--events", str(EVENTS), "--tenants", "3",
                    "--zones", "Europe/Berlin,America/New_York,UTC", "--repeat", "2%", "--late", "5%", "--bad", "1%", "--out", rows,
                    "--settings", settings], check=True)
    lines = rows.read_text(encoding="utf-8").splitlines(keepends=True)
    return lines, json.loads(settings.read_text())["tenants"], settings.with_suffix(".json.as_of").read_text().strip()


class Counted:
    """A daemon that has counted most of the history."""

    def __init__(self, history, topics, redis, daemon, binary, tmp_path):
        self.rows, self.tenants, self.clock = history
        self.topics, self.redis, self.binary, self.folder, self.sent = topics, redis, binary, tmp_path, 0
        at = datetime.datetime.fromisoformat(self.clock.replace("Z", "+00:00"))
        self.daemon, self.feed = daemon(topics, redis, self.tenants, self.clock).start(), Feed(topics, int(at.timestamp() * 1000))
        self.send(EVENTS - 1500)
        self.settle()

    def send(self, n):
        self.feed.rows(self.rows[self.sent:self.sent + n])
        self.feed.flush()
        self.sent += n

    def settle(self):
        settle(self.topics, self.daemon, self.redis)

    def change(self, tenant, **settings):
        """The daemon starts again with other settings of the tenant."""
        self.tenants = self.tenants | {tenant: self.tenants[tenant] | settings}
        self.daemon.terminate()
        self.daemon.configure(self.daemon.config | {"tenants": self.tenants})
        self.daemon.start().wait_ready()

    def rebuild(self, *words):
        status, out, err = self.daemon.command("rebuild", *words)
        assert status == 0, (status, out, err)
        return out, err

    def version(self, tenant):
        return int(self.redis.client.hget("crm:{%s}:state" % tenant, "version"))

    def leftovers(self):
        return list(self.redis.client.scan_iter("crm:rebuild:*", count=1000))

    def check(self):
        """All answers are those of a replay of what was sent, by the settings as they are."""
        events = self.folder / "sent.ndjson"
        events.write_text("".join(row.split("\t", 2)[2] for row in self.rows[:self.sent]), encoding="utf-8")
        queries = [q for n, q in enumerate(ask.everything(self.tenants, [self.clock[:10], "2026-03-01"])) if n % 4 == 0]
        ask.assert_same(queries, ask.replayed(self.binary, self.clock, self.tenants, queries, [events]), ask.live(self.daemon, queries))
        status, out, err = self.daemon.command("verify")
        assert status == 0, out + err


@pytest.fixture
def counted(history, topics, redis_server, daemon, binary, tmp_path):
    return Counted(history, topics, redis_server(), daemon, binary, tmp_path)


def test_one_tenant_is_held_and_goes_on_after_the_rebuild(counted):
    counted.change("t01", **OTHER)
    counted.daemon.wait_says("event=tenant_held")
    said = counted.daemon.said()
    assert "tenant=t01" in said and "time_zone (america/new_york, now asia/kathmandu)" in said and "crm-reportd rebuild" in said
    version, other = counted.version("t01"), counted.version("t00")
    counted.send(1000)
    wait_until(lambda: counted.version("t00") > other, "the others go on")
    time.sleep(1)
    assert counted.version("t01") == version, "nothing is committed to the one that is held"
    status, out, _ = counted.daemon.command("check")
    assert status == 1 and "tenants: t01 was counted by others: time_zone (America/New_York, now Asia/Kathmandu)" in out and "1 problem\n" in out, out
    status, out, _ = counted.daemon.command("verify")
    assert status == 4 and "t01: counted by other settings" in out and "run crm-reportd rebuild t01" in out
    out, err = counted.rebuild()
    assert "t01: counted anew from the topics" in out and "t00" not in out and "1 of 1 tenant counted anew" in out and "100 %" in err
    assert counted.version("t01") > version
    counted.daemon.wait_says("event=tenant_counted_anew")
    wait_until(lambda: json.loads(counted.redis.client.get("crm:{t01}:report:service"))["time_zone"] == "Asia/Kathmandu", "its reports are refreshed")
    counted.send(500)
    counted.settle()
    assert not counted.leftovers()
    counted.check()
    assert "nothing to rebuild" in counted.rebuild()[0]


def test_while_events_arrive_all_are_counted_once(counted):
    reports = {}

    def watch():
        for (tenant, report), document in ask.snapshots(counted.redis).items():
            assert document["version"] >= reports.get((tenant, report), 0), "a version went back"
            reports[tenant, report] = document["version"]
    counted.change("t00", **OTHER)
    running = subprocess.Popen([str(counted.binary), "rebuild", "-c", str(counted.daemon.config_path), "--all"], env=counted.daemon.environment,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while running.poll() is None:
        if counted.sent < EVENTS - 200:
            counted.send(20)
        watch()
    out, err = running.communicate()
    assert running.returncode == 0, (out, err)
    assert b"3 of 3" in out or b"4 of 4" in out, out
    counted.send(EVENTS)
    counted.settle()
    watch()
    assert not counted.leftovers()
    counted.check()


def test_killed_at_any_point_nothing_has_changed(counted):
    counted.change("t01", **OTHER)
    before, rng = counted.version("t01"), random.Random(1)
    cells = ask.cells(counted.redis, "t01")
    for _ in range(8):
        running = subprocess.Popen([str(counted.binary), "rebuild", "-c", str(counted.daemon.config_path)], env=counted.daemon.environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.05, 1.2))
        running.send_signal(signal.SIGKILL)
        out, _ = running.communicate()
        if b"counted anew" in out or counted.version("t01") != before:
            break
        assert ask.cells(counted.redis, "t01") == cells
    counted.rebuild("t01")
    assert not counted.leftovers()
    counted.send(EVENTS)
    counted.settle()
    counted.check()


@pytest.mark.parametrize("point", ["before switch", "switched"])
def test_killed_around_the_switch(counted, crash_binary, point):
    counted.change("t01", **OTHER)
    before = counted.version("t01")
    done = subprocess.run([str(crash_binary), "rebuild", "-c", str(counted.daemon.config_path)], check=False, capture_output=True,
                          env=counted.daemon.environment | {"CRM_REPORTD_CRASH_AT": point})
    assert done.returncode == -signal.SIGKILL, done
    assert (counted.version("t01") == before) == (point == "before switch")
    assert bool(counted.leftovers()) == (point == "before switch")
    counted.rebuild("t01")
    assert not counted.leftovers()
    counted.settle()
    counted.check()


def test_from_the_entities_where_the_topics_no_longer_reach_back(counted):
    from confluent_kafka import TopicPartition
    ends = {place: end for place, end in counted.topics.ends(counted.topics.into).items() if end}
    for future in counted.topics.admin.delete_records([TopicPartition(topic, part, end) for (topic, part), end in ends.items()]).values():
        future.result(30)
    counted.change("t01", **{key: value for key, value in OTHER.items() if key != "currency"})
    counted.send(700)
    out, _ = counted.rebuild()
    assert "t01: counted anew from its stored entities" in out and "the topics cannot tell: it no longer reaches back" in out
    counted.daemon.wait_says("event=tenant_counted_anew")
    counted.send(EVENTS)
    counted.settle()
    assert not counted.leftovers()
    counted.check()


def test_from_the_entities_all_is_as_before(counted):
    before = {tenant: ask.cells(counted.redis, tenant) for tenant in counted.tenants}
    versions = {tenant: counted.version(tenant) for tenant in counted.tenants}
    out, err = counted.rebuild("--all", "--from-entities")
    assert out.count("counted anew from its stored entities") >= 3
    told = [line.split()[2:5:2] for line in err.splitlines() if "entities stated again" in line]
    assert len([line for line in told if line[0] == line[1]]) >= 3, "all are gone through: %s" % err
    for tenant, cells in before.items():
        assert ask.cells(counted.redis, tenant) == cells
        assert counted.version(tenant) > versions[tenant]
    counted.send(EVENTS)
    counted.settle()
    counted.check()


def test_a_difference_is_mended(counted):
    key = sorted(counted.redis.client.scan_iter("crm:{t02}:day:*", count=1000))[0]
    field = sorted(counted.redis.client.hkeys(key))[0]
    counted.redis.client.hset(key, field, "77")
    assert counted.daemon.command("verify", "t02")[0] == 4
    counted.rebuild("t02")
    assert counted.daemon.command("verify", "t02")[0] == 0
    counted.settle()
    counted.check()


def test_the_shipped_rights_are_enough(counted):
    line = next(line for line in (TESTS.parent / "config" / "users.acl").read_text().splitlines() if line.startswith("user crm-reportd "))
    counted.redis.client.execute_command("ACL", "SETUSER", *line.replace("resetpass", "on >secret").split()[1:])
    counted.daemon.terminate()
    counted.daemon.configure(counted.daemon.config | {"redis": {"url": counted.redis.url, "user": "crm-reportd", "password": "secret"}})
    counted.daemon.start().wait_ready()
    assert "t00: counted anew from the topics" in counted.rebuild("t00")[0]
    assert counted.daemon.command("verify", "t00")[0] == 0
    assert json.loads(counted.daemon.command("explain", '{"tenant":"t00","metric":"calls","limit":1}')[1])["truncated"]
    counted.redis.client.execute_command("ACL", "SETUSER", "crm-reportd", "-rename")
    before = ask.cells(counted.redis, "t00")
    status, _, err = counted.daemon.command("rebuild", "t00")
    assert status == 1 and "RENAME" in err, err
    assert ask.cells(counted.redis, "t00") == before and not counted.leftovers()


def test_wrong_usage(counted):
    assert counted.daemon.command("rebuild", "--all", "t01")[0] == 2
    assert counted.daemon.command("rebuild", "nobody")[::2] == (1, 'crm-reportd rebuild: Redis knows no tenant "nobody"\n')
    version = counted.version("t01")
    assert counted.daemon.command("rebuild", "t01", "nobody")[0] == 1
    assert counted.version("t01") == version and not counted.leftovers()
