"""The shipped files of config/ as their programs take them: Redis settings and users, topics, the unit."""
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import redis as redis_client
from confluent_kafka.admin import AdminClient, ConfigResource
from servers import BROKER, TESTS, free_port, wait_until
from stream import Feed
from test_faults import CLOCK, NOW_MS, event

CONFIG = TESTS.parent / "config"
DENIED = redis_client.exceptions.NoPermissionError


class Shipped:
    """A Redis with the shipped settings and users."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        subprocess.run([str(CONFIG / "secrets.sh"), str(folder)], check=True, timeout=60)
        self.url = "redis://127.0.0.1:%d" % self.port
        self.start()

    def start(self):
        self.process = subprocess.Popen(["redis-server", str(CONFIG / "redis.conf"), "--port", str(self.port), "--dir", str(self.folder),
                                         "--aclfile", str(self.folder / "users.acl"), "--logfile", str(self.folder / "redis.log")])
        wait_until(self.answers, self.log, 20)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def log(self):
        return (self.folder / "redis.log").read_text()

    def answers(self):
        try:
            return redis_client.Redis(port=self.port, username="health", password="any").ping()
        except redis_client.exceptions.ConnectionError:
            return False

    def password_file(self, user):
        return self.folder / ("%s.password" % user)

    def user(self, user):
        return redis_client.Redis(port=self.port, username=user, password=self.password_file(user).read_text(), decode_responses=True)


@pytest.fixture
def shipped(tmp_path):
    (tmp_path / "shipped").mkdir()
    server = Shipped(tmp_path / "shipped")
    yield server
    server.process.kill()
    server.process.wait()


@pytest.fixture
def worked(shipped, topics, daemon):
    """The same, with what the daemon's user wrote into it."""
    settings = {"url": shipped.url, "user": "crm-reportd", "password_file": str(shipped.password_file("crm-reportd"))}
    worker = daemon(topics, shipped, {"acme": {}}, clock=CLOCK)
    worker.configure(worker.config | {"redis": settings})
    worker.start()
    feed = Feed(topics, NOW_MS)
    feed.events([event(n, "crm.case.%s" % verb, "s1", time_="2026-03-31T08:0%d:00Z" % n) for n, verb in enumerate(("opened", "closed"))])
    dashboard = shipped.user("dashboard")
    wait_until(lambda: dashboard.hget("crm:{acme}:metrics:today", "cases_closed_same_day") == "1", worker.log, 30)
    return worker


def test_the_daemons_rights_are_enough(worked):
    code, out, _ = worked.command("check")
    assert code == 0, out
    assert "problem " not in out and "advice   redis" not in out, out
    assert "NOPERM" not in worked.whole_log()


def count(worker):
    code, out, err = worker.command("query", '{"tenant":"acme","metric":"cases_closed_same_day","from":"2026-03-31","to":"2026-03-31"}')
    return (code, out or err)


@pytest.mark.parametrize("command", ["hgetall", "sscan", "zrangebyscore", "time", "set", "setrange", "psubscribe", "publish", "sadd", "mset", "rename",
                                     "eval", "evalsha", "exec", "discard", "unwatch"])
def test_check_names_the_right_that_is_missing(worked, shipped, command):
    users = shipped.folder / "users.acl"
    text = users.read_text()
    worked.terminate()
    shipped.stop()
    lines = [line.replace(" +%s " % command, " ").replace(" +%s\n" % command, "\n") if line.startswith("user crm-reportd ") else line for line in text.splitlines(True)]
    assert "".join(lines) != text
    users.write_text("".join(lines))
    shipped.start()
    code, out, _ = worked.command("check")
    assert code == 1, out
    told = [line for line in out.splitlines() if line.startswith("problem ")]
    assert told and all("redis.user" in line for line in told) and any(command.upper() in line.upper() for line in told), out
    assert "may run the commit script" not in out


def test_check_names_a_default_user_that_loses_commits(worked, shipped):
    users = shipped.folder / "users.acl"
    worked.terminate()
    shipped.stop()
    users.write_text(users.read_text().replace("user default reset off ~* &* +@all", "user default reset on nopass +ping"))
    shipped.start()
    code, out, _ = worked.command("check")
    assert code == 1 and "in its name Redis loads the append-only file" in out, out


def test_nothing_is_lost_when_redis_starts_again(worked, shipped):
    """Of its append-only file, which it loads in the name of its user "default"."""
    state = shipped.user("crm-reportd").hgetall("crm:{acme}:state")
    worked.terminate()
    shipped.stop()
    shipped.start()
    assert "CRITICAL" not in shipped.log()
    assert shipped.user("crm-reportd").hgetall("crm:{acme}:state") == state
    assert count(worked) == (0, '{"rows":[{"value":1}]}\n')


def test_marks_go_where_commits_go_when_redis_starts_again(worked, shipped):
    """A user "default" that may not write: Redis leaves out all transactions of the file, and the daemon reads again."""
    worked.terminate()
    shipped.stop()
    users = shipped.folder / "users.acl"
    users.write_text("user default reset on nopass +ping\n" + "".join(line for line in users.read_text().splitlines(True) if "user default" not in line))
    shipped.start()
    assert "CRITICAL" in shipped.log()
    assert not shipped.user("crm-reportd").hgetall("crm:{acme}:state") and not shipped.user("crm-reportd").hgetall("crm:marks")
    worked.start()
    wait_until(lambda: count(worked) == (0, '{"rows":[{"value":1}]}\n'), worked.log, 30)


def test_a_dashboard_reads(worked, shipped):
    dashboard = shipped.user("dashboard")
    report = json.loads(dashboard.get("crm:{acme}:report:service"))
    assert report["tenant"] == "acme"
    both = ["crm:{acme}:report:service", "crm:{acme}:report:sales_performance"]
    wait_until(lambda: all(dashboard.mget(both)), "both reports are there", 10)
    assert int(dashboard.hgetall("crm:{acme}:metrics:today")["version"]) >= report["version"]
    wait_until(lambda: dashboard.smembers("crm:tenants") == {"acme"}, "the tenant is listed", 10)


def test_a_dashboard_hears_of_updates(shipped):
    heard = shipped.user("dashboard").pubsub()
    heard.subscribe("crm:{acme}:reports")
    assert heard.get_message(timeout=5)["type"] == "subscribe"
    shipped.user("crm-reportd").publish("crm:{acme}:reports", "hint")
    assert heard.get_message(timeout=5)["data"] == "hint"
    with pytest.raises(DENIED):
        heard.subscribe("others:channel")
        heard.get_message(timeout=5)


@pytest.mark.parametrize("words", [
    ("SET", "crm:{acme}:report:service", "x"), ("HSET", "crm:{acme}:metrics:today", "leads", "9"), ("DEL", "crm:tenants"),
    ("PUBLISH", "crm:{acme}:reports", "x"), ("EVAL", "return 1", "0"), ("GET", "others:key"), ("KEYS", "*"), ("SCAN", "0"),
    ("CONFIG", "GET", "*"), ("FLUSHALL",), ("ACL", "LIST"), ("CLIENT", "LIST"), ("PSUBSCRIBE", "*"), ("MONITOR",),
])
def test_a_dashboard_does_nothing_else(shipped, words):
    with pytest.raises(DENIED):
        shipped.user("dashboard").execute_command(*words)


@pytest.mark.parametrize("words", [
    ("SET", "others:key", "x"), ("GET", "others:key"), ("HSET", "other", "a", "1"), ("CONFIG", "SET", "save", ""), ("FLUSHALL",),
    ("EVAL", "return redis.call('SET', KEYS[1], 'x')", "1", "others:key"), ("PUBLISH", "others", "x"), ("KEYS", "*"),
    ("ACL", "LIST"), ("SHUTDOWN",), ("REPLICAOF", "NO", "ONE"),
])
def test_the_daemon_touches_nothing_else(shipped, words):
    with pytest.raises(redis_client.exceptions.ResponseError, match="(?i)permission|no permissions|NOPERM|can't access"):
        shipped.user("crm-reportd").execute_command(*words)


def test_nobody_without_a_password_does_anything(shipped):
    stranger, health = redis_client.Redis(port=shipped.port), redis_client.Redis(port=shipped.port, username="health", password="any")
    assert health.ping()
    for words in (("GET", "crm:tenants"), ("INFO",), ("HGETALL", "crm:{acme}:metrics:today")):
        with pytest.raises(redis_client.exceptions.AuthenticationError):
            stranger.execute_command(*words)
        with pytest.raises(DENIED):
            health.execute_command(*words)
    for password in ("", "any"):
        with pytest.raises(redis_client.exceptions.AuthenticationError):
            redis_client.Redis(port=shipped.port, username="default", password=password).execute_command("AUTH", "default", password)


def test_the_shipped_users_have_no_password_that_is_known(tmp_path):
    """users.acl as it is in the tree lets nobody in."""
    port = free_port()
    process = subprocess.Popen(["redis-server", "--port", str(port), "--aclfile", str(CONFIG / "users.acl"), "--save", "", "--dir", str(tmp_path)],
                               stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: process.poll() is None and subprocess.run(["redis-cli", "-p", str(port), "--user", "health", "--pass", "any", "--no-auth-warning", "ping"], capture_output=True, check=False).stdout == b"PONG\n",
                   "Redis answers", 20)
        for user in ("crm-reportd", "dashboard"):
            with pytest.raises(redis_client.exceptions.AuthenticationError):
                redis_client.Redis(port=port, username=user, password="").execute_command("AUTH", user, "")
    finally:
        process.kill()
        process.wait()


def test_topics_are_made_as_the_daemon_needs_them(kafka, binary, redis_server, tmp_path):
    env = os.environ | {"KAFKA_TOPICS": "%s tool org.apache.kafka.tools.TopicCommand" % BROKER, "TOPIC_PREFIX": "made."}
    for _ in range(2):
        subprocess.run([str(CONFIG / "topics.sh"), kafka.address, "2"], env=env, check=True, timeout=300, stdout=subprocess.DEVNULL)
    admin = AdminClient({"bootstrap.servers": kafka.address})
    wait_until(lambda: "made.dead-letter" in admin.list_topics(timeout=30).topics, "the topics are there")
    found = {name: len(topic.partitions) for name, topic in admin.list_topics(timeout=30).topics.items() if name.startswith("made.")}
    into = ["made." + name for name in ("deals", "calls", "emails", "support", "contacts", "marketing", "goals")]
    assert found == dict.fromkeys(into, 2) | {"made.reports": 2, "made.alerts": 1, "made.dead-letter": 1}
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"kafka": {"bootstrap.servers": kafka.address}, "redis": {"url": redis_server().url},
                                    "topics": {"in": into, "reports": "made.reports", "alerts": "made.alerts", "dead_letter": "made.dead-letter"}}))
    done = subprocess.run([str(binary), "check", "-c", str(settings)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    assert not re.findall(r"^(?:advice|problem) +topics.*", done.stdout, re.M)
    resource = ConfigResource(ConfigResource.Type.TOPIC, "made.deals")
    assert admin.describe_configs([resource])[resource].result(30)["retention.ms"].value == "-1"


def test_topics_by_rpk_have_the_same_settings(tmp_path):
    """rpk is not here: what it would be told. PREFIX is where setup.sh installs: no name of a topic."""
    (tmp_path / "rpk").write_text('#!/bin/sh\necho "$*"\n')
    (tmp_path / "rpk").chmod(0o755)
    out = subprocess.run([str(CONFIG / "topics.sh"), "host:9092", "3"], env={"PATH": "%s:/usr/bin:/bin" % tmp_path, "PREFIX": "/opt"}, check=True,
                         capture_output=True, text=True, timeout=60).stdout.splitlines()
    assert len(out) == 10
    assert out[0] == ("topic create crm.deals --if-not-exists -X brokers=host:9092 -p 3 -r 1 --topic-config cleanup.policy=delete "
                      "--topic-config retention.ms=-1 --topic-config retention.bytes=-1")
    assert "crm.reports" in out[7] and "cleanup.policy=compact" in out[7]


def test_stopping_is_waited_for_as_long_as_it_may_take(binary):
    """A Redis that hangs is waited for twice. Measured, Kafka hanging, too: 19 and 21 s."""
    rows = subprocess.run([str(binary), "check", "--settings"], capture_output=True, text=True, timeout=60, check=True).stdout
    twice_s = 2 * int(re.search(r"redis\.command_timeout_ms`.*?`(\d+)`", rows)[1]) / 1000
    for file, limit in (("config/crm-reportd.service", r"^TimeoutStopSec=(\d+)$"), ("docker-compose.yml", r"stop_grace_period: (\d+)s$")):
        assert int(re.search(limit, (CONFIG.parent / file).read_text(encoding="utf-8"), re.M)[1]) >= twice_s + 5, file


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_the_unit_is_right_and_locked_down(tmp_path):
    unit = tmp_path / "crm-reportd.service"
    text = (CONFIG / "crm-reportd.service").read_text(encoding="utf-8")
    assert "ExecStart=/usr/local/bin/crm-reportd run" in text
    unit.write_text(text.replace("/usr/local/bin/crm-reportd", sys.executable), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    exposure = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(unit)],
                              capture_output=True, text=True, timeout=60, check=False)
    assert exposure.returncode == 0, exposure.stdout[-2000:]
