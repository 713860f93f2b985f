"""What whoever runs the daemon sees: metrics that Prometheus takes, alert rules, the dashboard's panels, readiness, systemd's notifications."""
import json
import re
import shutil
import socket
import subprocess
import time

import pytest
from asking import HISTORY, NOW, TENANTS, Http, event
from servers import TESTS, free_port, wait_until
from stream import Feed, Topics, caught_up, settle

CONFIG = TESTS.parent / "config"


def promtool(*words, stdin=""):
    done = subprocess.run(["promtool", *map(str, words)], input=stdin, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_alert_rules():
    promtool("check", "rules", "--lint-fatal", CONFIG / "prometheus" / "crm-reportd.rules.yml")
    promtool("check", "config", "--syntax-only", CONFIG / "prometheus" / "prometheus.yml")
    promtool("test", "rules", TESTS / "prometheus" / "rules_test.yml")


def test_every_alert_has_a_test_for_it_and_one_against():
    rules = re.findall(r"alert: (\w+)", (CONFIG / "prometheus" / "crm-reportd.rules.yml").read_text())
    tests = (TESTS / "prometheus" / "rules_test.yml").read_text()
    for name in rules:
        assert re.search(r"alertname: %s\n +exp_alerts" % name, tests), "no test sees %s fire" % name
        assert re.search(r"alertname: %s}" % name, tests), "no test sees %s silent" % name


SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')


def samples(text):
    """{(name, labels as text): value}"""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = SAMPLE.match(line).groups()
            assert (name, labels) not in found, line
            found[name, labels or ""] = float(value)
    return found


def test_metrics(running):
    Feed(running.topics).events([HISTORY[3], {"specversion": "1.0"} | event(30, "deal.wonn", "D-1"), event(31, "deal.lost", "D-7", time="2027-01-01T00:00:00Z")])
    settle(running.topics, running, running.redis)
    answer = running.http.ask("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    promtool("check", "metrics", stdin=answer.text)
    found = samples(answer.text)
    assert found["crm_reportd_events_total", 'kind="deal",result="counted"'] == 5
    assert found["crm_reportd_events_total", 'kind="deal",result="repeated"'] == 1
    assert found["crm_reportd_events_rejected_total", 'reason="unknown_type"'] == 1
    assert found["crm_reportd_events_rejected_total", 'reason="too_far_ahead"'] == 1
    assert found["crm_reportd_records_total", ""] == len(HISTORY) + 3 and found["crm_reportd_dead_letters_total", ""] == 2
    assert found["crm_reportd_commits_total", ""] >= 1 and found["crm_reportd_worker_ready", 'worker="0"'] == 1
    assert found["crm_reportd_commit_seconds_count", ""] == found["crm_reportd_commit_seconds_bucket", 'le="+Inf"'] >= 1
    assert found["crm_reportd_publish_snapshots_total", ""] == found["crm_reportd_publish_sent_total", ""] >= 1
    lags = {labels: value for (name, labels), value in found.items() if name == "crm_reportd_lag_events"}
    assert len(lags) == 4 * len(running.topics.into) and set(lags.values()) == {0}
    assert found["process_resident_memory_bytes", ""] > 1e6 and found["crm_reportd_publish_ready", ""] == 1


def test_lag_is_seen_while_redis_is_away(running):
    running.redis.kill()
    wait_until(lambda: running.http.ask("/readyz").status == 503, "not ready")
    assert "redis" in running.http.ask("/readyz").text
    Feed(running.topics).events([event(40 + n, "case.opened", "S-%d" % n) for n in range(20)])
    assert running.http.ask("/healthz").status == 200
    wait_until(lambda: samples(running.http.ask("/metrics").text)["crm_reportd_worker_ready", 'worker="0"'] == 0, "the worker waits")
    running.redis.start()
    wait_until(lambda: running.http.ask("/readyz").text == "ready\n", "ready again")
    settle(running.topics, running, running.redis)
    found = samples(running.http.ask("/metrics").text)
    assert found["crm_reportd_rereads_total", ""] >= 1 and sum(v for (name, _), v in found.items() if name == "crm_reportd_lag_events") == 0


def test_without_any_of_its_topics_it_says_what_it_waits_for(topics, redis_server, daemon):
    """Not where one of them is there: the others' events come without it."""
    port, later = free_port(), topics.name("later")
    http, one = Http(port), daemon(topics, redis_server(), listen="127.0.0.1:%d" % port)
    one.configure(one.config | {"topics": one.config["topics"] | {"in": [later]}})
    one.start().wait_says("unknown_topic_or_part")
    told = "waits for its topic, which does not exist, or may not be seen by this user: %s" % later
    wait_until(lambda: told in http.ask("/readyz").text, "it waits")
    assert http.ask("/readyz").status == 503
    assert samples(http.ask("/metrics").text)["crm_reportd_worker_ready", 'worker="0"'] == 0 and http.ask("/healthz").status == 200
    topics.create([later], 1)
    one.wait_ready()
    wait_until(lambda: http.ask("/readyz").text == "ready\n", "ready")
    topics.admin.delete_topics([later])[later].result(30)
    wait_until(lambda: told in http.ask("/readyz").text, "it waits again")
    topics.create([later], 1)
    wait_until(lambda: http.ask("/readyz").text == "ready\n", "ready again")
    one.terminate()
    one.configure(one.config | {"topics": one.config["topics"] | {"in": [later, topics.name("never")]}})
    one.start().wait_says("unknown_topic_or_part")
    one.wait_ready().wait_says_ready()


def panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def test_a_broker_that_is_gone_is_seen_whatever_was_read_ahead(own_kafka, redis_server, daemon):
    """It goes while the connections are new, and records that it sent before are still to come: neither is an answer."""
    topics, port = Topics(own_kafka, "gone"), free_port()
    one = daemon(topics, redis_server(), clock=NOW, listen="127.0.0.1:%d" % port)
    Feed(topics).events(event(n, "contact.created", "C-%d" % n, owner="anna") for n in range(60000))
    one.start().wait_ready()
    own_kafka.kill()
    http = Http(port)
    wait_until(lambda: http.ask("/readyz").status == 503, "it is not ready\n" + one.log(), 30)
    for _ in range(8):
        time.sleep(0.5)
        assert http.ask("/readyz").status == 503, one.log()
    assert samples(http.ask("/metrics").text)["crm_reportd_worker_ready", 'worker="0"'] == 0
    own_kafka.start()
    one.wait_says_ready(60)
    caught_up(topics, one)


def test_the_dashboards_panels_find_what_they_ask_for(running):
    dashboard = json.loads((CONFIG / "grafana" / "crm-reportd.json").read_text())
    known = {name for name, _ in samples(running.http.ask("/metrics").text)}
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    asked = 0
    for target in (target for panel in panels(dashboard) for target in panel["targets"]):
        if "expr" in target:
            names = set(re.findall(r"\b(?:crm_reportd|process)_\w+", target["expr"]))
            assert names and names <= known, target["expr"]
            continue
        asked += 1
        options = target["url_options"]
        answer = running.http.ask(target["url"].replace("${tenant}", "acme"), options["method"], options["data"] or None)
        assert answer.status == 200, (target, answer.text)
        rows = json.loads(answer.text)[target["root_selector"]]
        for selector in (column["selector"].replace("${currency}", "EUR").split(".") for column in target["columns"]):
            assert any(selector[0] in row for row in rows), (target, rows)
    assert asked >= 5


def test_alert_rules_name_metrics_that_there_are(running):
    known = {name for name, _ in samples(running.http.ask("/metrics").text)}
    named = set(re.findall(r"\bcrm_reportd_\w+", (CONFIG / "prometheus" / "crm-reportd.rules.yml").read_text()))
    assert named <= known, named - known


def test_systemd_is_told(topics, redis_server, daemon, tmp_path, monkeypatch):
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.bind(str(tmp_path / "notify"))
    listening.settimeout(20)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    one = daemon(topics, redis_server(), TENANTS, NOW).start()
    told = []

    def hears(what, timeout=30):
        end = time.monotonic() + timeout
        while not any(what in message for message in told):
            assert time.monotonic() < end, "not told %s, but %s" % (what, told[-5:])
            told.append(listening.recv(4096).decode())
    hears("READY=1")
    hears("WATCHDOG=1")
    hears("STATUS=working")
    assert one.terminate()[0] == 0
    hears("STOPPING=1")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_the_unit_speaks_with_systemd():
    text = (CONFIG / "crm-reportd.service").read_text()
    assert "Type=notify" in text and re.search(r"WatchdogSec=\d+", text)
