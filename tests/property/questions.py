"""Everything that can be asked: each metric of the shipped catalogue, by each of its dimensions, over many ranges."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "model"))
import oracle  # noqa: E402

TIMES = ["day", "week", "month", "quarter", "year"]
PERIODS = ["all", "today", "yesterday", "this_week", "last_week", "this_month", "last_month", "this_quarter", "last_quarter", "this_year",
           "last_year", "last_7_days", "last_30_days", "last_90_days", "tomorrow", "next_week", "next_month", "next_quarter", "next_year"]
DIMENSIONS = ["owner", "team", "source", "campaign", "list", "pipeline", "sale", "stage", "currency", "loss_reason", "competitor",
              "expected_month", "purpose", "direction", "hour", "activity", "channel", "case_kind", "priority", "promise", "page", "user",
              "kind", "attribute", "event_source", "reason", "goal", "region", "product"]
COUNT_ARRIVALS = {"duplicate_events", "rejected_events"}  # the two that are no function of the set of events


def metric_names(catalogue=ROOT / "config" / "catalogue.json"):
    metrics = json.loads(Path(catalogue).read_text(encoding="utf-8"))["metrics"]
    return sorted(metrics if isinstance(metrics, dict) else (metric["name"] for metric in metrics))


def replay(binary, as_of, settings, queries, files, timeout=300):
    """(exit code, answers as lines, stderr) of `crm-reportd replay` over the files."""
    with tempfile.TemporaryDirectory() as tmp:
        config, asked = Path(tmp, "config.json"), Path(tmp, "queries.ndjson")
        config.write_text(json.dumps(settings), encoding="utf-8")
        asked.write_text("".join(json.dumps(q) + "\n" for q in queries), encoding="utf-8")
        done = subprocess.run([str(binary), "replay", "--as-of", as_of, "-c", str(config), "--query", str(asked), *map(str, files)],
                              capture_output=True, timeout=timeout, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace").splitlines(), done.stderr.decode("utf-8", "replace")


class Questions:
    """Knows of each metric by which dimensions it can be grouped and whether it is a distribution; asks the daemon once."""

    def __init__(self, binary):
        tenant = "probe"
        settings = {"tenants": {tenant: {"custom": {"deal": ["region"], "case": ["product"]}}}}
        names = metric_names()
        asked = [{"tenant": tenant, "metric": m, "by": [d]} for m in names for d in DIMENSIONS + TIMES]
        asked += [{"tenant": tenant, "metric": m, "stat": "p50"} for m in names]
        with tempfile.NamedTemporaryFile() as nothing:
            code, answers, err = replay(binary, "2026-03-01T00:00:00Z", settings, asked, [nothing.name])
        if code != 0 or len(answers) != len(asked):
            raise RuntimeError("replay of nothing: exit code %s, %d answers to %d queries\n%s" % (code, len(answers), len(asked), err))
        self.dimensions, self.times, self.distributions = {m: [] for m in names}, {m: [] for m in names}, set()
        for query, answer in zip(asked, map(json.loads, answers)):
            refused = answer.get("error", {}).get("code")
            if "stat" in query:
                self.distributions |= {query["metric"]} if refused is None else set()
            elif refused != "unknown_dimension":
                group = query["by"][0]
                (self.times if group in TIMES else self.dimensions)[query["metric"]].append(group)

    def all(self, tenant, rng, days):
        """About ten questions per metric: ungrouped, by each dimension, by time, by two, filtered, each statistic. `days` = (first, last)."""
        asked = []
        for metric, dimensions in self.dimensions.items():
            def ask(**more):
                asked.append({"tenant": tenant, "metric": metric} | self.some_range(rng, days) | more)
            asked.append({"tenant": tenant, "metric": metric})
            ask()
            for name in dimensions:
                ask(by=[name])
            times = self.times[metric]
            if times:
                ask(by=[rng.choice(times)])
                asked.append({"tenant": tenant, "metric": metric, "by": [rng.choice(times)]})
            if dimensions:
                ask(by=rng.sample(dimensions, min(2, len(dimensions))) + ([rng.choice(times)] if times and rng.random() < 0.5 else []))
                ask(where={rng.choice(dimensions): [None, "u1", "lead", "web", "EUR"]})
            if metric in self.distributions:
                for stat in ("p50", "p90", "p95"):
                    ask(stat=stat, by=rng.sample(dimensions, min(1, len(dimensions))))
        return asked

    def oracle_knows(self, tenant, today):
        """Questions that the second reading of the contract answers as well: of all time, by day and each dimension."""
        for metric in sorted(self.dimensions.keys() & (oracle.METRICS.keys() | oracle.LEVELS.keys())):
            query = {"tenant": tenant, "metric": metric} | ({"from": "1900-01-01", "to": today} if metric in oracle.LEVELS else {})
            yield query
            days = ["day"] if "day" in self.times[metric] and metric in oracle.METRICS else []
            for name in self.dimensions[metric]:
                yield query | {"by": days + [name]}

    @staticmethod
    def some_range(rng, days):
        if rng.random() < 0.6:
            return {"period": rng.choice(PERIODS)}
        first, last = sorted(rng.choices(days, k=2))
        return {"from": first, "to": last}
