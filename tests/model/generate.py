#!/usr/bin/env python3
"""Write a believable history of CRM tenants as CloudEvents, and the settings that go with it. Equal arguments, equal bytes.

    generate.py --events 200000 --tenants 20 --zones UTC,Europe/Berlin --repeat 2% --late 5% --out events.tsv --settings settings.json

A line is KEY<tab>TOPIC<tab>JSON (--format tsv), or the JSON alone (--format ndjson, what `crm-reportd replay` reads). --events
counts distinct events; repeats come on top. All happens between --start and --days later; the settings file carries that last
instant in a file beside it (SETTINGS.as_of): the clock to ask by.
"""
import argparse
import datetime
import json
import random
import sys

import lives
from more_lives import MORE
from vocabulary import DECIMALS, TOPICS, instant

OFFSETS = [0, 0, 0, 60, -300, 345]
WEEK = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def share(text):
    """2% or 0.02"""
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


def day(text):
    return int(datetime.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=datetime.timezone.utc).timestamp())


def settings_of(rng, zone, currency):
    """What a tenant sets; some set little, so that defaults count as well."""
    settings = {"time_zone": zone, "currency": currency, "custom": {"deal": ["region"], "case": ["product"], "contact": ["region"]}}
    if rng.random() < 0.5:
        settings["week_start"] = rng.choice(WEEK)
        settings["fiscal_year_start"] = rng.randrange(1, 13)
    if rng.random() < 0.4:
        settings["business_hours"] = {name: [["08:30", "12:00"], ["13:00", "17:30"]] for name in WEEK[:5]} | {"saturday": [["22:00", "24:00"]]}
        settings["holidays"] = ["2026-01-01", "2026-04-06", "2026-05-01"]
    if rng.random() < 0.4:
        settings["lists"] = {"source": ["web", "fair", "referral"], "stage": ["lead", "talk", "offer"], "tags": ["vip"]}
    if rng.random() < 0.3:
        settings["stale_after"] = rng.choice([7, 14, 60])
    return settings


def tenants_of(args, rng):
    """Tenants with their events, the first ones larger than the last."""
    end = args.start + args.days * lives.DAY
    made = []
    for n in range(args.tenants):
        tenant = lives.Tenant("t%02d" % n, random.Random(rng.random()), args.start, end, args.currencies)
        tenant.settings = settings_of(rng, args.zones[n % len(args.zones)], tenant.currency)
        tenant.weight = 1 / (n + 2) ** 0.5
        made.append(tenant)
    total = sum(tenant.weight for tenant in made)
    makers, weights = zip(*(lives.LIVES + MORE if args.all_kinds else lives.LIVES))
    left = args.events
    for n, tenant in enumerate(made):
        quota = left if n == len(made) - 1 else round(args.events * tenant.weight / total)
        while len(tenant.events) < quota:
            tenant.rng.choices(makers, weights)[0](tenant)
        del tenant.events[quota:]
        left -= quota
    return made


def cloudevent(event, tenant, rng, missing_time):
    made = {"specversion": "1.0", "id": event["id"], "source": event["source"],
            "type": "crm.%s.%s" % (event["kind"], event["verb"]), "subject": event["subject"], "tenantid": tenant}
    if rng.random() >= missing_time:
        made["time"] = instant(event["at"], rng.choice((3, 6, 6)), rng.choice(OFFSETS))
    if "sequence" in event:
        made["sequence"] = event["sequence"]
    if event["data"] or rng.random() < 0.5:
        made["data"] = event["data"]
    return json.dumps(made, ensure_ascii=False, separators=(",", ":"))


def spoilt(rng, line):
    """The event with something wrong in it, each time another reason to reject it."""
    event = json.loads(line)
    way = rng.randrange(8)
    if way == 0:
        return line[:len(line) // 2]
    event["id"] += "-bad"
    changes = [{"specversion": "0.3"}, {"subject": None}, {"type": "crm.deal.evaporated"}, {"time": "2026-02-30T00:00:00Z"},
               {"time": "2190-01-01T00:00:00Z"}, {"data": {"owner": 7}}, {"type": "crm.case.rated", "data": {"score": 9}}]
    return json.dumps(event | changes[way - 1], ensure_ascii=False)


def arrivals(args, rng, tenants):
    """(tenant, topic, line) in the order of arrival: by time, but some late or shuffled, some twice."""
    rows = []
    for tenant in tenants:
        for event in tenant.events:
            line = cloudevent(event, tenant.name, rng, args.missing_time)
            when = event["at"]
            if rng.random() < args.late:
                when += rng.choice([60, lives.HOUR, lives.DAY, 30 * lives.DAY]) * rng.random()
            rows.append((when, tenant.name, TOPICS[event["kind"]], line))
            if rng.random() < args.repeat:
                rows.append((when + rng.choice([0, 1, lives.HOUR, 10 * lives.DAY]) * rng.random(), *rows[-1][1:]))
            if rng.random() < args.bad:
                rows.append((when, tenant.name, TOPICS[event["kind"]], spoilt(rng, line)))
            if rng.random() < args.conflicts:
                other = cloudevent(event | {"data": event["data"] | {"owner": "u0"}}, tenant.name, rng, 0)
                rows.append((when + rng.random(), tenant.name, TOPICS[event["kind"]], other))
    rows.sort(key=lambda row: row[0])
    return rows


def arguments(argv):
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--events", type=int, default=10000, help="distinct events")
    ap.add_argument("--tenants", type=int, default=5)
    ap.add_argument("--zones", type=lambda t: t.split(","), default=["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
    ap.add_argument("--currencies", type=lambda t: t.split(","), default=["EUR", "USD", "JPY"])
    ap.add_argument("--repeat", type=share, default=0.0, help="share of events that come twice (2%% or 0.02)")
    ap.add_argument("--late", type=share, default=0.0, help="share of events that come late")
    ap.add_argument("--bad", type=share, default=0.0, help="events to be rejected, as a share, on top")
    ap.add_argument("--conflicts", type=share, default=0.0,
                    help="share of events whose id comes again with other content (then the order of arrival matters)")
    ap.add_argument("--missing-time", type=share, default=0.002, help="share of events without `time`")
    ap.add_argument("--all-kinds", action="store_true", help="meetings, campaigns, visits, users, goals … as well")
    ap.add_argument("--start", type=day, default=day("2026-01-01"))
    ap.add_argument("--days", type=int, default=180)
    ap.add_argument("--format", choices=["tsv", "ndjson"], default="tsv")
    ap.add_argument("--out", default="-")
    ap.add_argument("--settings", help="write the tenants' settings there, and the clock to SETTINGS.as_of")
    args = ap.parse_args(argv)
    unknown = [c for c in args.currencies if c not in DECIMALS]
    if unknown:
        ap.error("unknown currency %s (known: %s)" % (unknown[0], ", ".join(DECIMALS)))
    return args


def write_settings(args, tenants):
    with open(args.settings, "w", encoding="utf-8") as f:
        json.dump({"tenants": {tenant.name: tenant.settings for tenant in tenants}}, f, indent=1)
    with open(args.settings + ".as_of", "w", encoding="utf-8") as f:
        f.write(instant(args.start + args.days * lives.DAY) + "\n")


def main(argv):
    args = arguments(argv)
    rng = random.Random(args.seed)
    tenants = tenants_of(args, rng)
    out = sys.stdout if args.out == "-" else open(args.out, "w", encoding="utf-8")
    with out:
        for _, tenant, topic, line in arrivals(args, rng, tenants):
            out.write("%s\t%s\t%s\n" % (tenant, topic, line) if args.format == "tsv" else line + "\n")
    if args.settings:
        write_settings(args, tenants)


if __name__ == "__main__":
    main(sys.argv[1:])
