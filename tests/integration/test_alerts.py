"""Alerts as those who subscribe to them meet them: raised once, cleared once, whatever happens to the daemon, to Redis, to the topic."""
import base64
import hashlib
import hmac
import http.server
import json
import random
import signal
import threading
import time
import urllib.request
from datetime import datetime, timedelta

import jsonschema
import pytest
from servers import TESTS, free_port, wait_until
from stream import Feed, settle
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


def by_rule(alerts):
    """Each rule's own order stays; which of two rules is told of first is up to the batches."""
    return sorted(alerts, key=lambda alert: repr(alert[:2]))


def wait_told(topics, worker, want, timeout=60):
    wait_until(lambda: by_rule(told(topics)) == by_rule(want), lambda: "alerts %s, not %s\n%s" % (want, told(topics), worker.log()), timeout, 0.3)


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


def test_those_that_stand_are_shown(topics, redis, daemon, feed):
    """Over HTTP: the data of the events that raised them, those that wait for their time apart."""
    port = free_port()
    waiting = BUSY | {"name": "waiting", "for": "1d"}
    worker = daemon(topics, redis, clock=CLOCK, alerts=[BUSY, OWNERS, waiting], listen="127.0.0.1:%d" % port).start()

    def shown():
        with urllib.request.urlopen("http://127.0.0.1:%d/v1/tenants/acme/alerts" % port, timeout=10) as answer:
            return json.load(answer)
    feed.events(leads(0, 3))
    settle(topics, worker, redis)
    with urllib.request.urlopen("http://127.0.0.1:%d/v1/tenants/acme/updates" % port, timeout=30) as updates:
        feed.events(leads(3, 12))
        assert any(line == b"event: alerts\n" for line in updates)
        hinted = json.loads(updates.readline().removeprefix(b"data: "))["version"]
    wait_told(topics, worker, [("busy_owner", "u1", "raised"), ("many_leads", None, "raised")])
    stands = shown()
    assert 0 < hinted <= stands["version"]
    assert stands["alerts"] == [json.loads(record.value())["data"] for record in topics.records("alerts")]
    assert [(one["rule"], one["state"], one["for"]) for one in stands["pending"]] == [("waiting", "pending", "1d")]
    feed.events(gone(0, 12))
    wait_until(lambda: shown()["alerts"] == [] == shown()["pending"], worker.log, 30)
    assert shown()["version"] > stands["version"]


# --- the clock ---------------------------------------------------------------------------------------------------------

def test_a_breach_has_to_last_and_a_restart_does_not_begin_it_anew(topics, redis, daemon):
    rule = {"name": "lasting", "metric": "leads", "period": "all", "above": 2, "for": "6s"}
    feed = Feed(topics)
    worker = daemon(topics, redis, alerts=[rule]).start().wait_ready()
    feed.events([event(n, time_=None) for n in range(3)])
    kept = wait_until(lambda: redis.client.hget("crm:{acme}:alerts", "lasting"), lambda: "pending\n" + worker.log(), 30)
    since = json.loads(kept)["since"]
    time.sleep(1)
    worker.kill()
    assert told(topics) == []
    worker.start()
    wait_told(topics, worker, [("lasting", None, "raised")], 30)
    data = json.loads(topics.records("alerts")[0].value())["data"]
    assert data["since"] == since, "a restart does not begin it anew"
    took = datetime.fromisoformat(data["raised_at"]) - datetime.fromisoformat(since)
    assert timedelta(seconds=6) <= took < timedelta(seconds=12), took


def test_more_tenants_than_there_is_memory_for(kafka, topics, redis, daemon):
    """Their reports do not fit: what waits for its time is woken, what is under way is not sent a second time however often its
    tenant has to go and comes back meanwhile, and other rules reach all of them."""
    rule = {"name": "lasting", "metric": "leads", "period": "all", "above": 1, "for": "8s"}
    tenants = ["t%03d" % n for n in range(100)]
    feed = Feed(topics)
    worker = daemon(topics, redis, alerts=[rule], cache_mb=8).start().wait_ready()
    feed.events([event(n, tenant=tenant, time_=None) for tenant in tenants for n in range(2)])

    def stand(state):
        kept = [redis.client.hget("crm:{%s}:alerts" % tenant, "lasting") for tenant in tenants]
        return sum(one is not None and json.loads(one)["state"] == state for one in kept)

    def of(state):
        return sorted(made["tenantid"] for made in map(json.loads, (record.value() for record in topics.records("alerts"))) if made["data"]["state"] == state)
    wait_until(lambda: stand("pending") + stand("raised") == len(tenants), worker.log, 30)
    kafka.send(signal.SIGSTOP)
    try:
        wait_until(lambda: stand("raised") == len(tenants), worker.log, 30)
        time.sleep(8)
    finally:
        kafka.send(signal.SIGCONT)
    wait_until(lambda: of("raised") == tenants, lambda: "%s\n%s" % (of("raised"), worker.log()), 60, 0.5)
    worker.configure(worker.config | {"alerts": []})
    worker.send(signal.SIGHUP)
    wait_until(lambda: of("cleared") == tenants, lambda: "%s\n%s" % (of("cleared"), worker.log()), 60, 0.5)
    assert repeated(topics) == set()
    assert of("raised") == tenants


def test_another_day_clears_what_was_of_this_one(topics, redis, daemon, feed):
    rule = {"name": "today", "metric": "leads", "period": "today", "above": 2}
    worker = daemon(topics, redis, clock=CLOCK, alerts=[rule]).start()
    feed.events(leads(0, 5, time_="2026-03-31T08:00:00Z"))
    wait_told(topics, worker, [("today", None, "raised")])
    worker.terminate()
    worker.clock = "2026-04-01T00:00:01Z"
    worker.start()
    wait_told(topics, worker, [("today", None, "raised"), ("today", None, "cleared")])


# --- rules that change -------------------------------------------------------------------------------------------------

def test_rules_are_taken_over_while_it_runs(topics, redis, daemon, feed):
    worker = daemon(topics, redis, clock=CLOCK).start()
    feed.events(leads(0, 20) + leads(20, 40, tenant="other"))
    settle(topics, worker, redis)
    worker.configure(worker.config | {"alerts": [BUSY]})
    worker.send(signal.SIGHUP)
    wait_until(lambda: sorted(json.loads(record.value())["id"].rsplit("/", 1)[0] for record in topics.records("alerts")) == ["acme/many_leads", "other/many_leads"],
               lambda: "both tenants\n" + worker.log(), 30)
    worker.configure(worker.config | {"alerts": [BUSY | {"metric": "leadz"}]})
    worker.send(signal.SIGHUP)
    worker.wait_says("settings_wrong")
    assert len(topics.records("alerts")) == 2
    worker.configure(worker.config | {"alerts": []})
    worker.send(signal.SIGHUP)
    wait_until(lambda: len(topics.records("alerts")) == 4, worker.log, 30)
    assert {json.loads(record.value())["data"].get("reason") for record in topics.records("alerts")[2:]} == {"removed"}
    assert unsent(redis) == 0


# --- what may happen on the way ----------------------------------------------------------------------------------------

class Swing:
    """Leads come and are undone by late events: what alerts must say of it, in the order it is fed."""

    def __init__(self, topics, feed):
        self.topics, self.feed, self.numbers, self.want, self.is_up = topics, feed, 0, [], False

    def move(self):
        if self.is_up:
            self.down()
        else:
            self.up()

    def up(self):
        self.feed.events(leads(self.numbers, self.numbers + 12))
        self.want += [("busy_owner", "u1", "raised"), ("many_leads", None, "raised")]
        self.is_up = True

    def down(self):
        self.feed.events(gone(self.numbers, self.numbers + 12))
        self.numbers += 12
        self.want += [("busy_owner", "u1", "cleared"), ("many_leads", None, "cleared")]
        self.is_up = False

    def is_told(self):
        """Those of one rule come in their order; rules beside each other in any."""
        found = told(self.topics)
        return all([one for one in found if one[0] == rule] == [one for one in self.want if one[0] == rule] for rule in ("busy_owner", "many_leads"))

    def wait(self, worker, timeout=60):
        wait_until(self.is_told, lambda: "want %s, told %s\n%s" % (self.want, told(self.topics), worker.log()), timeout, 0.3)


def test_killed_at_random_moments(topics, redis, daemon, feed):
    rng, swing = random.Random(11), Swing(topics, feed)
    worker = daemon(topics, redis, clock=CLOCK, alerts=[BUSY, OWNERS], snapshot_interval_ms=20).start().wait_ready()
    for _ in range(10):
        swing.move()
        time.sleep(rng.uniform(0, 0.25))
        worker.kill()
        worker.start()
        swing.wait(worker)
    settle(topics, worker, redis)
    swing.wait(worker, 1)
    assert unsent(redis) == 0 and redis.client.hlen("crm:{acme}:alerts") == 2, "only its versions are left"


POINTS = ["alert judged", "alert committed", "alert sent", "alert acknowledged", "alert noted"]


def test_ending_between_the_commit_and_the_sending(topics, redis, daemon, feed, crash_binary):
    swing = Swing(topics, feed)
    worker = daemon(topics, redis, clock=CLOCK, program=crash_binary, alerts=[BUSY, OWNERS])
    for time_ in (1, 2):
        for point in POINTS:
            worker.crash_at = "%s:%d" % (point, time_)
            worker.start()
            while worker.process.poll() is None:
                swing.move()
                wait_until(lambda: worker.process.poll() is not None or swing.is_told(), lambda: "%s\n%s" % (worker.crash_at, worker.log()), 60, 0.2)
            assert worker.process.returncode == -signal.SIGKILL, worker.log()
            worker.crash_at = None
            worker.start()
            swing.wait(worker)
            wait_until(lambda: unsent(redis) == 0, worker.log, 30)
            worker.kill()
    again = repeated(topics)
    assert 1 <= len(again) <= 2 * len(POINTS), "what was acknowledged and could not be noted comes once more, with the same id: %s" % again


def test_two_instances_and_one_that_slept(topics, redis, daemon, feed):
    """Both know the tenant; one is frozen past its session and goes on with what it knew: nothing is told twice or lost."""
    swing = Swing(topics, feed)
    workers = [daemon(topics, redis, clock=CLOCK, alerts=[BUSY, OWNERS]).start() for _ in range(2)]
    for worker in workers:
        worker.wait_ready(60)
    for _ in range(2):
        swing.move()
        swing.wait(workers[0])
    for sleeper, other in (workers, workers[::-1]):
        sleeper.send(signal.SIGSTOP)
        time.sleep(8)  # its session is over
        for _ in range(3):
            swing.move()
            swing.wait(other)
        sleeper.send(signal.SIGCONT)
        time.sleep(3)
        swing.move()
        swing.wait(other)
    for worker in workers:
        worker.alive()
    assert unsent(redis) == 0 and redis.client.hlen("crm:{acme}:alerts") == 2


def test_redis_killed_and_started_again(topics, redis, daemon, feed):
    swing = Swing(topics, feed)
    worker = daemon(topics, redis, clock=CLOCK, alerts=[BUSY, OWNERS]).start()
    swing.up()
    swing.wait(worker)
    time.sleep(1.5)  # the file has it
    redis.kill()
    swing.down()
    time.sleep(1)
    redis.start()
    swing.wait(worker)
    swing.up()
    time.sleep(0.1)
    redis.kill()
    redis.start()
    settle(topics, worker, redis)
    found = told(topics)
    for rule in ("busy_owner", "many_leads"):
        states = [state for name, _, state in found if name == rule]
        assert states[:2] == ["raised", "cleared"] and states[-1] == "raised", "at most what Redis itself forgot is told anew: %s" % states
    wait_until(lambda: unsent(redis) == 0, worker.log, 30)


def test_an_output_topic_that_comes_later(topics, redis, daemon, feed):
    swing = Swing(topics, feed)
    worker = daemon(topics, redis, clock=CLOCK, alerts=[BUSY, OWNERS])
    worker.configure(worker.config | {"topics": worker.config["topics"] | {"alerts": topics.name("later")}})
    worker.start()
    for move in (swing.up, swing.down, swing.up):
        move()
        wait_until(lambda: unsent(redis) == len(swing.want), lambda: "waiting in Redis: %d\n%s" % (unsent(redis), worker.log()), 30)
    worker.kill()
    worker.start()
    topics.create([topics.name("later")], 1)
    wait_until(lambda: unsent(redis) == 0, worker.log, 90)
    found = [(m["subject"], m["data"]["row"].get("owner"), m["data"]["state"]) for m in (json.loads(r.value()) for r in topics.records("later"))]
    for rule in ("busy_owner", "many_leads"):
        assert [one for one in found if one[0] == rule] == [one for one in swing.want if one[0] == rule]


# --- webhooks ----------------------------------------------------------------------------------------------------------

class Receiver:
    """Takes posts on this machine; `answers` says how to each one, the last one from then on (None: closes without a word)."""

    def __init__(self, answers, secret):
        self.answers, self.secret, self.posts = list(answers), secret, []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
                receiver.posts.append((answer, dict(self.headers.items()), body))
                if answer is not None:
                    self.send_response(answer)
                    self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d/hook?token=hidden" % self.server.server_port

    def taken(self):
        """The events taken, each id once, in order; every post is signed."""
        found = {}
        for answer, headers, body in self.posts:
            headers = {name.lower(): value for name, value in headers.items()}
            signed = b"%s.%s.%s" % (headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body)
            want = "v1," + base64.b64encode(hmac.new(self.secret, signed, hashlib.sha256).digest()).decode()
            assert headers["webhook-signature"] == want
            event_ = json.loads(body)
            assert headers["webhook-id"] == event_["id"]
            if answer == 200:
                found.setdefault(event_["id"], event_)
        return list(found.values())


def test_posted_to_a_flaky_receiver(topics, redis, daemon, feed, tmp_path):
    (tmp_path / "webhook.secret").write_text("open-sesame\n")
    receiver = Receiver([503, None, 500, 200, None, 200], b"open-sesame")
    rule = BUSY | {"webhook": {"url": receiver.url, "secret_file": str(tmp_path / "webhook.secret"), "timeout_ms": 2000}}
    worker = daemon(topics, redis, clock=CLOCK, alerts=[rule]).start()
    feed.events(leads(0, 12))
    settle(topics, worker, redis)  # nothing waits for the receiver
    feed.events(gone(0, 12))
    wait_until(lambda: len(receiver.taken()) == 2, lambda: "posts %s\n%s" % (receiver.posts, worker.log()), 60)
    assert [event_["type"] for event_ in receiver.taken()] == ["crm.alert.raised", "crm.alert.cleared"]
    assert receiver.taken() == [json.loads(record.value()) for record in topics.records("alerts")]
    wait_until(lambda: redis.client.hlen("crm:{acme}:alerts:unposted") == 0, worker.log, 10)
    assert "open-sesame" not in worker.whole_log() and "hidden" not in worker.whole_log()


def test_what_a_receiver_did_not_take_is_posted_after_a_kill(topics, redis, daemon, feed, tmp_path):
    (tmp_path / "webhook.secret").write_text("open-sesame\n")
    receiver = Receiver([503], b"open-sesame")
    rule = BUSY | {"webhook": {"url": receiver.url, "secret_file": str(tmp_path / "webhook.secret")}}
    worker = daemon(topics, redis, clock=CLOCK, alerts=[rule]).start()
    feed.events(leads(0, 12))
    wait_until(lambda: receiver.posts, worker.log, 60)
    worker.kill()
    assert redis.client.hlen("crm:{acme}:alerts:unposted") == 1
    receiver.answers = [200]
    worker.start()
    wait_until(lambda: len(receiver.taken()) == 1, worker.log, 60)
    wait_until(lambda: redis.client.hlen("crm:{acme}:alerts:unposted") == 0, worker.log, 10)
    assert len({json.loads(body)["id"] for _, _, body in receiver.posts}) == 1
