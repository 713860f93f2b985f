"""The stories with known answers, through real Kafka into real Redis: `crm-reportd query` answers as `replay` does. One daemon serves nearly all of
them, each story with tenants of its own; it is restarted with a later clock where the next stories want one. Stories that are about the
tenant `default` have a daemon each."""
import importlib.util
import itertools
import json
import re
from pathlib import Path

import ask
import pytest
from servers import TESTS
from stream import Feed, Topics, caught_up
from test_end_to_end import milliseconds

SHARED = TESTS.parent.parent / "shared" / "cases"
LARGE = 2 << 20
TOPIC = {"deal": "deals", "call": "calls", "meeting": "calls", "email": "emails", "case": "support", "interaction": "support", "campaign": "marketing",
         "response": "marketing", "visit": "marketing", "goal": "goals", "user": "goals"}
numbers = itertools.count(1)


def runner():
    """tests/cases/run.py, which knows what a case is and when an answer is right."""
    spec = importlib.util.spec_from_file_location("cases_run", TESTS / "cases" / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RUN = runner()


class Story(RUN.Case):
    """A case whose tenants carry a prefix, so that many live in one Redis."""

    def __init__(self, folder, number):
        super().__init__(folder)
        config = folder / "config.json"
        self.config = json.loads(config.read_text(encoding="utf-8")) if config.exists() else {}
        self.clock = (folder / "as_of").read_text().strip()
        self.ordered = (folder / "ordered").exists()
        asked = [json.loads(query).get("tenant") for query in self.queries]
        self.alone = bool(self.config.keys() - {"tenants"}) or "default" in self.tenants or None in asked or "default" in asked or \
            any(self.tenant_of(event) is None for event in self.events)
        self.prefix = "" if self.alone else "s%d." % number

    @property
    def tenants(self):
        return self.config.get("tenants", {})

    def settings(self):
        return {self.prefix + tenant: settings for tenant, settings in self.tenants.items()}

    @staticmethod
    def tenant_of(line):
        """The tenant that an event names, None where there is no such event or name."""
        try:
            tenant = json.loads(line).get("tenantid")
        except (ValueError, AttributeError):
            return None
        return tenant if isinstance(tenant, str) and re.fullmatch(r"[A-Za-z0-9._-]{1,60}", tenant) else None

    def records(self):
        """(topic, key, value) of each event; of an ordered story all in one topic."""
        for line in self.events:
            tenant = self.tenant_of(line)
            kind = re.search(rb'"type":\s*"crm\.(\w+)\.', line)
            topic = "contacts" if self.ordered or not kind else TOPIC.get(kind[1].decode(), "contacts")
            if tenant is not None and self.prefix:
                line = re.sub(rb'("tenantid":\s*")', lambda m: m[1] + self.prefix.encode(), line, count=1)
            yield topic, self.prefix + (tenant or "default"), line

    def requests(self):
        for line in self.queries:
            query = json.loads(line)
            yield query | {"tenant": self.prefix + query.get("tenant", "default")}

    def wrong(self, answers):
        for query, want, got in zip(self.queries, self.expected, answers, strict=True):
            if not RUN.answers_right(json.loads(query), want, got):
                yield "%s: %s\n  expected %s\n  got      %s" % (self.name, query, want, got)


def stories():
    folders = [path.parent for place in (TESTS / "cases", SHARED) for path in sorted(place.glob("*/events.ndjson"))]
    return [Story(folder, number) for number, folder in enumerate(folders)]


def told(chosen, worker, topics):
    """Sends the stories, waits until they are counted; what is wrong of their answers."""
    feed = Feed(topics, milliseconds(worker.clock), **{"message.max.bytes": LARGE})
    for story in chosen:
        for record in story.records():
            feed.record(*record)
    feed.flush()
    caught_up(topics, worker)
    requests = [list(story.requests()) for story in chosen]
    answers = iter(ask.live(worker, [request for each in requests for request in each]))
    return [text for story, each in zip(chosen, requests) for text in story.wrong(list(itertools.islice(answers, len(each))))]


def rejected(topics):
    """Reasons of all dead letters, sorted."""
    return sorted(dict(message.headers())["__connect.errors.exception.class.name"].decode() for message in topics.records("dead-letter"))


@pytest.fixture
def roomy(kafka):
    """Topics for a record as large as an event may be, and a little larger."""
    return Topics(kafka, "stories%d" % next(numbers), 2, {"max.message.bytes": str(LARGE)})


def test_stories_give_the_same_answers(roomy, redis_server, daemon):
    together = [story for story in stories() if not story.alone]
    settings = {tenant: own for story in together for tenant, own in story.settings().items()}
    redis, wrong = redis_server(), []
    worker = daemon(roomy, redis, settings, None, **{"durability_lag_ms": 100})
    for clock in sorted({story.clock for story in together}):
        worker.clock = clock
        worker.start()
        wrong += told([story for story in together if story.clock == clock], worker, roomy)
        assert worker.terminate()[0] == 0
    assert not wrong, "%d answers differ\n%s" % (len(wrong), "\n".join(wrong[:10]))
    assert len(together) >= len(list(Path(TESTS / "cases").glob("*/events.ndjson"))) - 5
    assert rejected(roomy) == sorted(code for story in together for _, code in story.rejected)


@pytest.mark.parametrize("story", [story for story in stories() if story.alone], ids=lambda story: story.name)
def test_story_of_the_default_tenant(story, roomy, redis_server, daemon):
    worker = daemon(roomy, redis_server(), **story.config, clock=story.clock, durability_lag_ms=100).start()
    wrong = told([story], worker, roomy)
    assert not wrong, "\n".join(wrong)
    assert rejected(roomy) == sorted(code for _, code in story.rejected)
