"""What can be asked: each metric of the contract, by its dimensions and units of time, over many ranges, filtered, and sometimes wrongly."""
import datetime
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "model"))
from query import STATS  # noqa: E402
from facts import dimensions  # noqa: E402
from goals import VALUES as GOALS  # noqa: E402
from metrics import METRICS  # noqa: E402

TIMES = ["day", "week", "month", "quarter", "year"]
PERIODS = ["all", "today", "yesterday", "this_week", "last_week", "this_month", "last_month", "this_quarter", "last_quarter", "this_year",
           "last_year", "last_7_days", "last_30_days", "last_90_days", "tomorrow", "next_week", "next_month", "next_quarter", "next_year"]
UNITS = [p for p in PERIODS if p.startswith(("this_", "last_")) and not p.endswith("days")]
COUNT_ARRIVALS = {"duplicate_events", "rejected_events"}  # the two that are no function of the set of events
VALUES = [None, "u1", "u2", "lead", "talk", "web", "referral", "EUR", "JPY", "c0", "c1", "default", "service", "inbound", "chat", "phone", "complaint",
          "question", "deal", "contact", "call", "main", "new", "response", "g0", "emea", "bad_attribute"]


def metric_names(catalogue=ROOT / "config" / "catalogue.json"):
    return sorted(json.loads(Path(catalogue).read_text(encoding="utf-8"))["metrics"])


def report_names(catalogue=ROOT / "config" / "catalogue.json"):
    return sorted(json.loads(Path(catalogue).read_text(encoding="utf-8"))["reports"])


def replay(binary, as_of, settings, queries, files, timeout=300, asking="--query"):
    """(exit code, answers as lines, stderr) of `crm-reportd replay` over the files."""
    with tempfile.TemporaryDirectory() as tmp:
        config, asked = Path(tmp, "config.json"), Path(tmp, "queries.ndjson")
        config.write_text(json.dumps(settings), encoding="utf-8")
        asked.write_text("".join(json.dumps(q) + "\n" for q in queries), encoding="utf-8")
        done = subprocess.run([str(binary), "replay", "--as-of", as_of, "-c", str(config), asking, str(asked), *map(str, files)],
                              capture_output=True, timeout=timeout, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace").splitlines(), done.stderr.decode("utf-8", "replace")


def dimensions_of(metric, custom):
    """Names by which the contract lets the metric be grouped."""
    if metric in GOALS:
        return ["goal"]
    known = set.intersection(*[dimensions(fact, custom) for term in METRICS[metric].terms for fact in term.facts])
    return sorted(known & METRICS[metric].only if METRICS[metric].only else known)


def timed(metric):
    """Can it be grouped by time?"""
    return metric not in GOALS and not METRICS[metric].only and any(term.span not in ("now", "ever") for term in METRICS[metric].terms)


class Questions:
    """Random queries of one history. `custom`: the declared attributes per kind; `days`: dates on which something happens."""

    def __init__(self, rng, tenant, custom, days):
        self.rng, self.tenant, self.custom, self.days = rng, tenant, custom, sorted(set(days))

    def all(self):
        for metric in sorted(METRICS.keys() | GOALS.keys()):
            yield from ({"tenant": self.tenant, "metric": metric} | query for query in self.of(metric))
        yield from self.mistakes()

    def of(self, metric):
        """About eight questions."""
        rng, names = self.rng, dimensions_of(metric, self.custom)
        if metric in GOALS:
            yield {"by": ["goal"]}
            yield {"by": ["goal"]} | self.some_range()
            yield {"by": ["goal"], "where": {"goal": rng.sample(VALUES, 3) + ["g0"]}}
            return
        now = not timed(metric) and not METRICS[metric].only
        ranges = (lambda: {}) if now else (lambda: self.whole_range(metric)) if METRICS[metric].whole else self.some_range
        yield {}
        yield ranges()
        yield self.some_range()
        for name in rng.sample(names, min(len(names), 3)):
            yield {"by": [name]} | ranges()
        if names:
            yield {"where": self.filter(names)} | ranges()
            yield {"where": self.filter(names), "by": rng.sample(names, min(len(names), rng.choice([1, 2, 3])))} | ranges()
        if timed(metric):
            for dims in ([], rng.sample(names, min(len(names), rng.choice([1, 1, 2])))):
                by = dims + [rng.choice(TIMES)]
                rng.shuffle(by)
                yield {"by": by} | rng.choice([ranges, self.some_range, dict])()
        if METRICS[metric].spread:
            for stat in STATS:
                yield {"stat": stat, "by": rng.sample(names, rng.choice([0, 1]))} | self.some_range()

    def filter(self, names):
        return {name: self.rng.sample(VALUES, 8) + [None] * self.rng.randrange(2) for name in self.rng.sample(names, min(len(names), self.rng.choice([1, 1, 2])))}

    def mistakes(self):
        """Each wrong in one way."""
        metric = self.rng.choice(sorted(METRICS))
        wrong = [{"metric": metric + "s_"}, {"by": ["colour"]}, {"where": {"colour": ["red"]}}, {"period": "next_summer"}, {"period": "this_day"},
                 {"from": "2026-03-31", "to": "2026-03-01"}, {"from": "2026-02-30", "to": "2026-03-01"}, {"from": "2026-01-01", "to": "yesterday"},
                 {"stat": "p99"}, {"period": "today", "from": "2026-01-01", "to": "2026-01-02"}, {"tenant": "nobody"},
                 {"metric": "leads", "by": ["day", "week"]}, {"metric": "leads", "stat": "p50"}, {"metric": "records", "by": ["day"]}]
        yield from ({"tenant": self.tenant, "metric": "revenue"} | query for query in wrong)

    def some_range(self):
        rng = self.rng
        if rng.random() < 0.6:
            return {"period": rng.choice(PERIODS)}
        first, last = sorted(rng.choices(self.days, k=2))
        return {"from": first, "to": last}

    def whole_range(self, metric):
        """For metrics that want whole months, quarters …"""
        rng = self.rng
        if rng.random() < 0.6:
            return {"period": rng.choice(UNITS)}
        first = datetime.date.fromisoformat(rng.choice(self.days))
        if "day" in METRICS[metric].whole and rng.random() < 0.5:
            return {"from": str(first), "to": str(first)}
        first = first.replace(day=1)
        last = (first + datetime.timedelta(days=31 * rng.choice([1, 1, 3]))).replace(day=1) - datetime.timedelta(days=1)
        return {"from": str(first), "to": str(last)}
