"""A company grows: what an event costs, what an entity takes and how soon the daemon counts again, with ever more cases in Redis; and what a deal, a case, an
e-mail takes with everything that is kept of it."""
import statistics
import sys

from company import Company

NEW, EVENTS_EACH = 20000, 10  # cases of the day that is measured, and how often each is heard of


def grown(binary, place, kafka, sizes):
    """[(company, what growing cost)], one after the other."""
    made = []
    for n, cases in enumerate(sizes):
        company = Company(binary, place("growth"), kafka, "grow-%d-%d" % (cases, n), "case", "three")
        made.append((company, company.grow(cases) | {"cases": cases, "weight": company.weigh()}))
        print("%d cases stand in Redis" % cases, file=sys.stderr, flush=True)
    return made


def measure(companies, rounds):
    """Days of work by turns, so that a busy minute of the machine meets all sizes; [[cost of each round] of each size]."""
    costs = [[] for _ in companies]
    for n in range(rounds):
        for (company, past), rows in zip(companies, costs):
            rows.append(company.work(past["cases"] + n * NEW, NEW, EVENTS_EACH))
    return costs


def row(past, rounds):
    """The median of the rounds; of what an event costs beside the smallest company, too (`of_first`, filled by the caller)."""
    events, weight = NEW * EVENTS_EACH, past["weight"]
    middle = {name: statistics.median(one[name] for one in rounds) for name in ("cpu", "redis_cpu", "start", "stop")}
    return {"cases": weight["entities"], "start": middle["start"], "stop": middle["stop"], "rss_mib": max(past["rss_mib"], *(one["rss_mib"] for one in rounds)),
            "cost": middle["cpu"] / events, "redis_cost": middle["redis_cpu"] / events, "per_cpu_redis": events / (middle["cpu"] + middle["redis_cpu"]),
            "samples": past["samples"], "caught_up": past["events"]} | weight


def run(binary, place, kafka, sizes, rounds, ready):
    """All sizes; [(name, row)]. `ready` is called when all of the past stands there, before anything is timed."""
    companies = grown(binary, place, kafka, sizes)
    try:
        ready()
        costs = measure(companies, rounds)
        rows = [row(past, mine) for (_, past), mine in zip(companies, costs)]
        for found, mine in zip(rows, costs):
            ratios = [(a["cpu"] + a["redis_cpu"]) / (b["cpu"] + b["redis_cpu"]) for a, b in zip(mine, costs[0])]
            found["of_first"], found["of_first_spread"] = statistics.median(ratios), [min(ratios), max(ratios)]
            found["redis_mib"] = found["total"] * found["entities"] / 2**20
        return [(str(size), found) for size, found in zip(sizes, rows)]
    finally:
        for company, _ in companies:
            company.end()


def kinds(binary, folder, kafka, kind, entities):
    """What one of a kind takes with all that the whole catalogue keeps of it; a row."""
    company = Company(binary, folder, kafka, "weigh-" + kind, kind, "full")
    try:
        past = company.grow(entities)
        return {"events": past["events"], "rss_mib": past["rss_mib"]} | company.weigh()
    finally:
        company.end()
