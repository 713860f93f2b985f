"""Fixtures: one broker per session; per test its own topics, its own Redis and as many daemons as it wants."""
import itertools
import os
from pathlib import Path

import pytest
from asking import HISTORY, NOW, TENANTS, Http
from servers import BROKER, Daemon, Kafka, Redis, free_port
from stream import Feed, Topics, settle

numbers = itertools.count(1)


def pytest_addoption(parser):
    parser.addoption("--bin", default=os.environ.get("CRM_REPORTD", "build-tests/release/crm-reportd"), help="the daemon to test")


@pytest.fixture(scope="session")
def binary(request):
    path = Path(request.config.getoption("--bin")).resolve()
    assert path.exists(), "no daemon at %s (build it, or --bin PATH)" % path
    return path


@pytest.fixture(scope="session")
def crash_binary(binary):
    """The daemon built with CRASH_POINTS, in the folder crash beside the other build."""
    path = binary.parent.parent / "crash" / "crm-reportd"
    assert path.exists(), "no %s: cmake -DCRASH_POINTS=ON" % path
    return path


def started_broker(folder):
    assert BROKER.exists(), "no %s" % BROKER
    broker = Kafka(folder)
    broker.broker("install")
    broker.start()
    return broker


@pytest.fixture(scope="session")
def kafka(tmp_path_factory):
    broker = started_broker(tmp_path_factory.mktemp("kafka"))
    yield broker
    broker.kill()


@pytest.fixture
def own_kafka(tmp_path):
    """A broker for this test alone, where topics may have their default names."""
    broker = started_broker(tmp_path / "kafka")
    yield broker
    broker.kill()


@pytest.fixture
def topics(kafka):
    return Topics(kafka, "t%d" % next(numbers))


@pytest.fixture
def redis_server(tmp_path):
    """Makes Redis servers: redis_server(durable=True, password=None)."""
    made = []

    def make(**how):
        made.append(Redis(tmp_path / ("redis%d" % len(made)), **how))
        made[-1].start()
        return made[-1]
    yield make
    for server in made:
        server.stop()


@pytest.fixture
def daemon(binary, tmp_path):
    """Makes daemons, not yet started: daemon(topics, redis, tenants, clock=None, group="g", program=None, **settings)."""
    made = []

    def make(topics, redis, tenants=None, clock=None, group="g", reports="reports", kafka=None, program=None, **settings):
        name = "daemon%d" % len(made)
        config = {"kafka": {"bootstrap.servers": topics.kafka.address, "group.id": "%s.%s" % (topics.prefix, group), "group.instance.id": name,
                            "session.timeout.ms": 6000} | (kafka or {}),
                  "topics": topics.settings(reports), "redis": {"url": redis.url}, "listen": "",
                  "snapshot_interval_ms": 200, "durability_lag_ms": 500, "tenants": tenants or {}} | settings
        made.append(Daemon(program or binary, tmp_path / name, config, clock))
        return made[-1]
    yield make
    for each in made:
        each.kill()


@pytest.fixture
def running(topics, redis_server, daemon):
    """A daemon that has counted HISTORY; .http asks it."""
    redis, port = redis_server(), free_port()
    one = daemon(topics, redis, TENANTS, NOW, listen="127.0.0.1:%d" % port)
    one.start().wait_ready()
    one.topics, one.redis, one.http = topics, redis, Http(port)
    Feed(topics).events(HISTORY)
    settle(topics, one, redis)
    return one
