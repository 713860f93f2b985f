"""What a catalogue needs anew counts from then on: a tenant counted by a small catalogue, then by the shipped one with more custom
attributes, then by the small one again. What was kept from the beginning stays right throughout, what is counted adds up to what
stands behind it, `verify` and `check` say what is newer; after `rebuild` all is as if it had always been counted so."""
import json
import pathlib

import ask
import pytest
from servers import wait_until
from stream import settle
from test_rebuild import Counted, EVENTS, history  # noqa: F401, a fixture

KEPT = ["leads", "conversion_rate", "revenue", "won_deals", "lost_deals", "sales_cycle", "open_deals", "cases_handled", "resolution_time", "calls"]
SMALL = {"only": {"metrics": KEPT, "reports": ["service"]}, "dimensions": ["owner", "source"]}


class Widened(Counted):
    """Begun with few metrics and without custom attributes."""

    def __init__(self, given, topics, redis, daemon, binary, tmp_path):
        rows, self.full, clock = given
        self.small = tmp_path / "small.json"
        self.small.write_text(json.dumps(SMALL), encoding="utf-8")
        bare = {tenant: {key: value for key, value in settings.items() if key != "custom"} for tenant, settings in self.full.items()}

        def make(*words):
            return daemon(*words, catalogue=[str(self.small)])
        super().__init__((rows, bare, clock), topics, redis, make, binary, tmp_path)

    def use(self, catalogue, tenants):
        self.tenants = tenants
        self.daemon.terminate()
        self.daemon.configure(self.daemon.config | {"catalogue": catalogue, "tenants": tenants})
        self.daemon.start().wait_ready()

    def check_kept(self):
        """What was kept from the beginning is what a replay of all events says."""
        events = self.folder / "sent.ndjson"
        events.write_text("".join(row.split("\t", 2)[2] for row in self.rows[:self.sent]), encoding="utf-8")
        queries = [{"tenant": tenant, "metric": metric} | by for tenant in self.tenants for metric in KEPT
                   for by in ({}, {"by": ["owner"]}, {"by": ["source", "month"]}, {"period": "this_month", "by": ["owner"]})]
        ask.assert_same(queries, ask.replayed(self.binary, self.clock, self.tenants, queries, [events]), ask.live(self.daemon, queries))

    def check_explained(self):
        """Every number is the sum of what stands behind it, also of what counts from some day on only."""
        asked = [{"tenant": "t00", "metric": metric} for metric in KEPT + ["proposals", "activities", "campaign_responses", "records", "unknown_references", "missing_values"]]
        asked += [dict(query, by=by) for query in asked for by in (["owner"], ["team"])]
        status, out, err = self.daemon.command("explain", stdin="".join(json.dumps(q) + "\n" for q in asked))
        assert status in (0, 3), err
        compared = 0
        for query, answer, explained in zip(asked, ask.live(self.daemon, asked), out.splitlines(), strict=True):
            explained, answer = json.loads(explained), json.loads(answer)
            if "rows" not in answer:
                assert "error" in explained, (query, explained, answer)
            elif "by" not in query:
                assert explained["total"] == answer["rows"][0]["value"], (query, explained["total"], answer)
                compared += 1
            else:
                totals = {row[query["by"][0]]: row["total"] for row in explained["rows"]}
                assert totals == {row[query["by"][0]]: row["value"] for row in answer["rows"]}, query
                compared += len(totals)
        assert compared > 50, compared


    def check_published(self, least):
        """The single numbers, kept up to date by differences, are those that the counters add up to, by whatever they were counted."""
        metrics, compared = ["leads", "won_deals", "lost_deals", "cases_handled", "calls", "proposals", "activities", "campaign_responses", "emails_sent"], 0
        for tenant in self.tenants:
            queries = [{"tenant": tenant, "metric": metric, "period": "last_30_days"} for metric in metrics]
            for query, answer in zip(queries, ask.live(self.daemon, queries), strict=True):
                want = str(json.loads(answer)["rows"][0]["value"])
                wait_until(lambda: self.redis.client.hget("crm:{%s}:metrics:last_30_days" % query["tenant"], query["metric"]) == want, (query, want), 20)
                compared += want != "0"
        assert compared >= least


@pytest.fixture
def widened(history, topics, redis_server, daemon, binary, tmp_path):  # noqa: F811
    return Widened(history, topics, redis_server(), daemon, binary, tmp_path)


def test_from_one_catalogue_to_another_and_back_and_rebuilt(widened):
    status, out, err = widened.daemon.command("verify")
    assert status == 0 and "not compared" not in out, out + err
    assert "tenant_counts_more" not in widened.daemon.said()

    widened.use([], widened.full)
    status, out, _ = widened.daemon.command("check")
    assert status == 0 and "advice   tenants: t01 counts some of what is needed only from its next commit on, " in out, out
    assert "until crm-reportd rebuild t01: custom.contact.region, custom.deal.region" in out and " more" in out, out
    widened.send(700)
    widened.settle()
    said = widened.daemon.said()
    assert "event=tenant_counts_more tenant=t01" in said and "proposal" in said and "deal_won (cost calls, by team campaign" in said, said
    assert "custom.deal.region" in said and "tenant_held" not in said
    assert said.count("event=tenant_counts_more tenant=t01") == 1
    widened.check_kept()
    widened.check_explained()
    widened.check_published(1)  # most of what has been sent is older
    status, out, err = widened.daemon.command("verify")
    assert status == 0 and "t01: " in out and "not compared with the topics, as it counts from 2026-" in out and "custom.deal.region" in out, out + err
    assert widened.daemon.command("verify", "--entities")[0] == 0
    assert json.loads(ask.live(widened.daemon, [{"tenant": "t00", "metric": "proposals"}])[0])["rows"][0]["value"] > 0, "it counts from now on"

    day, field, value = next((day, f, v) for day in sorted(widened.redis.client.scan_iter("crm:{t01}:day:*", count=1000))
                             for f, v in sorted(widened.redis.client.hgetall(day).items()) if f.split(":")[0] == "lead")
    widened.redis.client.hset(day, field, "77")
    status, out, _ = widened.daemon.command("verify", "t01")
    assert status == 4 and out.count("Redis has count=77") == 1 and out.endswith("1 tenant, 1 difference\n"), out
    widened.redis.client.hset(day, field, value)

    widened.use([str(widened.small)], widened.full)  # of the attributes: who no longer declares them would hold the tenant
    widened.send(500)
    widened.settle()
    assert "tenant_counts_more" not in widened.daemon.said() and "tenant_held" not in widened.daemon.said()
    widened.check_kept()
    assert widened.daemon.command("verify")[0] == 0

    widened.use([], widened.full)
    widened.send(EVENTS)
    widened.settle()
    widened.check_kept()
    widened.check_explained()
    widened.check_published(10)
    status, out, _ = widened.daemon.command("check")
    assert status == 0 and "advice   tenants: t01 counts some of what is needed only from 2026-" in out, out
    out, _ = widened.rebuild()  # none is named: those that do not count all from their beginning
    assert "t00: counted anew from the topics" in out and "t01: counted anew" in out, out
    widened.daemon.wait_says("event=tenant_counted_anew")
    status, out, err = widened.daemon.command("verify")
    assert status == 0 and "not compared" not in out, out + err
    assert "counts some" not in widened.daemon.command("check")[1]
    widened.check()
    assert "nothing to rebuild" in widened.rebuild()[0]


def test_two_with_different_catalogues_count_together(widened, daemon, topics):
    """A roll-out: each has partitions, then one of them all, then both again."""
    other = daemon(topics, widened.redis, widened.full, widened.clock)
    widened.use([str(widened.small)], widened.full)
    other.start().wait_ready()
    widened.send(500)
    widened.settle()
    widened.daemon.terminate()
    widened.send(500)
    settle(topics, other, widened.redis)
    assert "event=tenant_counts_more tenant=t01" in other.said()
    widened.daemon.start().wait_ready()
    widened.send(EVENTS)
    widened.settle()
    assert "tenant_counts_more" not in widened.daemon.said()
    widened.check_kept()
    widened.check_explained()
    status, out, err = widened.daemon.command("verify")
    assert status == 0, out + err


def test_other_time_zone_data(widened, monkeypatch):
    """An update of the system's: here the zone of t00 becomes that of Kyiv."""
    zones = pathlib.Path("/usr/share/zoneinfo")
    for name, source in {"Europe/Berlin": "Europe/Kyiv", "America/New_York": "America/New_York"}.items():
        copy = widened.folder / "zones" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((zones / source).read_bytes())
    monkeypatch.setenv("TZDIR", str(widened.folder / "zones"))
    widened.use([str(widened.small)], widened.tenants)
    widened.send(EVENTS)
    widened.settle()
    said = widened.daemon.said()
    assert 'event=tenant_counts_more tenant=t00 added="time zone data" meaning' in said and "tenant=t01 added" not in said, said
    status, out, err = widened.daemon.command("verify")
    assert status == 0, out + err
    assert "t00: " in out and "the topics cannot tell: it was begun with other time zone data" in out and "t01: " in out, out
    widened.check_explained()
    assert "t00: counted anew from the topics" in widened.rebuild()[0]
    widened.check_kept()
    status, out, err = widened.daemon.command("verify")
    assert status == 0 and "cannot tell" not in out, out + err


def test_an_attribute_that_is_no_longer_declared_holds(widened):
    widened.use([], widened.full)
    widened.send(500)
    widened.settle()
    without = widened.full | {"t01": widened.full["t01"] | {"custom": {"case": ["product"], "contact": ["region"]}}}
    widened.use([], without)
    widened.daemon.wait_says("event=tenant_held")
    assert "custom (region is no longer declared)" in widened.daemon.said()
    status, out, _ = widened.daemon.command("check")
    assert status == 1 and "t01 was counted by others: custom (region is no longer declared)" in out, out
    widened.use([], widened.full)  # it gets back what it had
    widened.send(EVENTS)
    widened.settle()
    assert widened.daemon.command("verify")[0] == 0
