"""A broker that asks for user and password and gives each user some rights: with those that config/README.md names all works, and
of each that is missing it is said what does not."""
import time

import pytest
from asking import Http
from confluent_kafka.admin import AclBinding, AclBindingFilter, AclOperation, AclPermissionType, ResourcePatternType, ResourceType
from servers import BROKER, Kafka, free_port, wait_until
from stream import Feed, settle
from test_check import wait_for
from test_faults import CLOCK, NOW_MS, count, event, leads
from test_operations import samples

ANY = ResourcePatternType.ANY
EVERY_RIGHT = AclBindingFilter(ResourceType.ANY, None, ANY, None, None, AclOperation.ANY, AclPermissionType.ANY)


class GuardedKafka(Kafka):
    """Who comes to `address` may do all; who comes to `guarded` is the user crm, and may do what was given."""

    def __init__(self, folder):
        super().__init__(folder)
        self.guarded = "127.0.0.1:%d" % free_port()
        places = "PLAINTEXT://%s,GUARDED://%s" % (self.address, self.guarded)
        self.settings = [
            "listeners=%s,CONTROLLER://127.0.0.1:%s" % (places, self.environment["KAFKA_CONTROLLER_PORT"]), "advertised.listeners=" + places,
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,GUARDED:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT", "sasl.enabled.mechanisms=PLAIN",
            "listener.name.guarded.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_crm=\"sesame\";",
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users=User:ANONYMOUS"]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    assert BROKER.exists(), "no %s" % BROKER
    broker = GuardedKafka(tmp_path_factory.mktemp("kafka"))
    broker.broker("install")
    broker.start()
    yield broker
    broker.kill()


class Rights:
    """What the user crm may do; all that config/README.md names, or less."""

    def __init__(self, topics):
        self.topics = topics
        outputs = map(topics.name, ("reports", "alerts", "dead-letter"))
        self.all = {("group", topics.prefix + ".g", "read")} | {("topic", name, "describe_configs") for name in topics.all}
        self.all |= {("topic", name, "read") for name in topics.into} | {("topic", name, "write") for name in outputs}

    def give(self, less=(), more=()):
        for future in self.topics.admin.delete_acls([EVERY_RIGHT]).values():
            future.result(30)
        wanted = (self.all - set(less)) | set(more)
        bindings = [AclBinding(ResourceType[kind.upper()], name, ResourcePatternType.LITERAL, "User:crm", "*", AclOperation[right.upper()], AclPermissionType.ALLOW)
                    for kind, name, right in wanted]
        for future in self.topics.admin.create_acls(bindings).values():
            future.result(30)
        time.sleep(0.5)  # until the broker goes by them


@pytest.fixture
def rights(topics):
    made = Rights(topics)
    made.give()
    return made


@pytest.fixture
def guarded(topics, rights, redis_server, daemon, tmp_path):
    """A daemon as user crm, not yet started."""
    (tmp_path / "sasl").write_text("sesame\n")
    port = free_port()
    user = {"bootstrap.servers": topics.kafka.guarded, "security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN", "sasl.username": "crm",
            "sasl.password_file": str(tmp_path / "sasl")}
    rules = [{"name": "many", "metric": "leads", "period": "all", "above": 0}]
    redis = redis_server()
    one = daemon(topics, redis, clock=CLOCK, kafka=user, alerts=rules, listen="127.0.0.1:%d" % port)
    one.redis, one.http = redis, Http(port)
    return one


def bad(number):
    return event(number, "crm.contact.creatd")


def metric(worker, name, labels=""):
    return samples(worker.http.ask("/metrics").text)["crm_reportd_" + name, labels]


def test_the_rights_are_enough(guarded, topics):
    wait_for(topics, topics.all)
    code, out, _ = guarded.command("check")
    assert code == 0 and "cannot be read" not in out, out
    guarded.start()
    Feed(topics, NOW_MS).events(leads(0, 20) + [bad(100)])
    settle(topics, guarded, guarded.redis)
    assert topics.committed(guarded.config["kafka"]["group.id"])
    for command in ("verify", "rebuild"):
        code, out, err = guarded.command(command, "acme")
        assert code == 0, out + err
    settle(topics, guarded, guarded.redis)
    assert all(map(topics.records, ("reports", "alerts", "dead-letter")))
    assert "authorization" not in guarded.said()


def test_who_may_not_read_a_partition_does_not_take_it_for_another(guarded, topics, rights):
    """It waits; else all of it were read again, and what came twice or was rejected counted twice."""
    guarded.start()
    feed = Feed(topics, NOW_MS)
    feed.events(leads(0, 20) + [bad(100)])
    settle(topics, guarded, guarded.redis)
    guarded.terminate()
    contacts = topics.name("contacts")
    rights.give(less=[("topic", contacts, "read")], more=[("topic", contacts, "describe")])
    guarded.start().wait_says("record of %s[" % contacts)
    wait_until(lambda: "cannot be read" in guarded.http.ask("/readyz").text, "it is not ready")
    rights.give()
    feed.events(leads(20, 40))
    settle(topics, guarded, guarded.redis)
    assert "event=partition_is_another" not in guarded.said()
    assert count(guarded) == 40 and count(guarded, "rejected_events") == 1


def test_who_may_not_read_as_the_group_is_not_ready(guarded, topics, rights):
    """Nothing else would say it: no partition comes, so none is behind."""
    group = ("group", topics.prefix + ".g", "read")
    rights.give(less=[group])
    guarded.start().wait_says("group_authorization_failed")
    wait_until(lambda: "kafka.group.id" in guarded.http.ask("/readyz").text, "it is not ready")
    assert metric(guarded, "worker_ready", 'worker="0"') == 0
    rights.give()
    guarded.wait_ready().wait_says_ready()
    rights.give(less=[group])
    wait_until(lambda: guarded.http.ask("/readyz").status == 503, "it is not ready, later either", 60)
    rights.give()
    guarded.wait_says_ready(60)


@pytest.mark.parametrize("topic, told", [("reports", "report_not_sent"), ("alerts", "alert_not_sent")])
def test_a_topic_that_takes_no_reports_or_alerts_is_seen(guarded, topics, rights, topic, told):
    """In the metric that the alert rule CrmReportdPublishing goes by. What it lacks comes when it takes them again."""
    rights.give(less=[("topic", topics.name(topic), "write")], more=[("topic", topics.name(topic), "describe")])
    guarded.start().wait_ready()
    assert metric(guarded, "publish_ready") == 1
    Feed(topics, NOW_MS).events(leads(0, 5))
    guarded.wait_says(told)
    wait_until(lambda: metric(guarded, "publish_ready") == 0, "it is seen")
    assert count(guarded) == 5
    rights.give()
    wait_until(lambda: metric(guarded, "publish_ready") == 1, "it publishes again")
    settle(topics, guarded, guarded.redis)
    assert topics.records(topic)


def test_dead_letters_that_are_not_taken_hold_nothing_up(guarded, topics, rights):
    letters = topics.name("dead-letter")
    rights.give(less=[("topic", letters, "write")], more=[("topic", letters, "describe")])
    guarded.start()
    feed = Feed(topics, NOW_MS)
    feed.events([bad(100)] + leads(0, 20))
    wait_until(lambda: count(guarded) == 20, "they are counted", 30)
    wait_until(lambda: metric(guarded, "dead_letters_unsent_total") >= 3, "it is tried again", 30)
    feed.events(leads(20, 40))
    wait_until(lambda: count(guarded) == 40, "these are, too", 30)
    assert metric(guarded, "dead_letters_unsent_total") < 6
    rights.give()
    settle(topics, guarded, guarded.redis)
    assert len(topics.records("dead-letter")) == 1 and count(guarded, "rejected_events") == 1
