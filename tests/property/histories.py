"""Small random histories, dense with everything that tempts a counter to go wrong: ties, deletions, merges, late corrections, nasty
calendars, bad events. A seed gives settings, a clock, and lines as they arrive."""
import calendar
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "model"))
from metrics import METRICS  # noqa: E402
from spoil import spoilt  # noqa: E402
from vocabulary import ATTRIBUTES, OWN, REQUIRED, VERBS, Values, instant  # noqa: E402

TENANT, NEIGHBOUR = "acme", "b"
DAY = 86400


def utc(*date):
    return calendar.timegm((*date, 0, 0, 0)[:6])


# Zones, with the instants at which their clocks do something.
ZONES = {
    "UTC": [], "Europe/Berlin": [utc(2026, 3, 29, 1), utc(2026, 10, 25, 1)], "America/New_York": [utc(2026, 3, 8, 7), utc(2026, 11, 1, 6)],
    "Asia/Kathmandu": [utc(1985, 12, 31, 18, 30)], "Australia/Lord_Howe": [utc(2026, 4, 4, 15), utc(2026, 10, 3, 15, 30)],
    "America/St_Johns": [utc(2026, 3, 8, 5, 30)], "Pacific/Apia": [utc(2011, 12, 30, 10), utc(2026, 1, 1)], "Pacific/Kwajalein": [utc(1993, 8, 21, 12)],
    "America/Sao_Paulo": [utc(2018, 11, 4, 3), utc(2018, 2, 18, 2)], "America/Havana": [utc(2026, 3, 8, 5), utc(2026, 11, 1, 5)],
    "Asia/Beirut": [utc(2026, 3, 28, 22)], "Africa/Casablanca": [utc(2026, 2, 15, 2), utc(2026, 3, 22, 2)], "Asia/Kolkata": [],
    "Antarctica/Troll": [utc(2026, 3, 29, 1), utc(2026, 10, 25, 1)], "Pacific/Kiritimati": [], "Etc/GMT+12": []}
CENTRES = [utc(2026, 1, 1), utc(2026, 2, 28), utc(2024, 2, 29), utc(2026, 3, 29, 1), utc(2026, 10, 25, 1), utc(2026, 7, 1)]
HOURS = [{"sunday": [["01:30", "03:30"]], "monday": [["00:00", "24:00"]]},
         {day: [["00:00", "00:30"], ["02:15", "02:45"], ["23:00", "24:00"]] for day in ("saturday", "sunday", "thursday", "friday")}, {}]
CUSTOM = {"deal": ["region"], "case": ["product"], "contact": ["region"], "call": ["region", "product"], "email": ["region"], "meeting": ["product"],
          "interaction": ["region"], "response": ["region"], "user": ["product"], "visit": ["region"], "campaign": ["region"], "account": ["region"]}
LISTS = [("priority", ["low"]), ("channel", []), ("currency", ["EUR"]), ("industry", ["steel"]), ("team", ["north"]), ("pipeline", ["default"]), ("sale", ["new"]),
         ("case_kind", ["question"]), ("purpose", ["sales"]), ("competitor", ["Contoso"]), ("account", ["a0"]), ("contact", ["c0", "c1"]), ("deal", []),
         ("campaign", ["c1"]), ("referred_by", ["c0"]), ("metric", ["revenue"])]
PLAIN = {"updated": 3, "created": 3, "stage_changed": 4, "deleted": 0.5, "removed": 0.5, "merged": 2, "won": 2, "set": 3, "opened": 2, "signed_in": 4}


class History:
    """`events`, and as `lines` in their order of arrival; `settings`, `as_of`; `ordered`: that order decides something. All from one seed."""

    def __init__(self, seed, only=None):
        self.seed, self.rng = seed, random.Random(seed)
        rng = self.rng
        zone = rng.choice(list(ZONES))
        centre = rng.choice(ZONES[zone] * 3 + CENTRES)
        span = rng.choice([2, 20, 120, 500]) * DAY
        self.clock = centre + round(span * rng.uniform(0.1, 1)) + rng.choice([0, 0, 0, 1])
        self.as_of = instant(self.clock)
        self.instants = [min(centre + rng.randrange(-span, span), self.clock) for _ in range(rng.randrange(5, 50))]
        self.minutes = [self.instants[0] + n for n in (-600, -1, 1, 599.999999, 600)]  # that a form is sent twice in
        self.instants += self.minutes
        self.instants += [centre + rng.randrange(-4, 5) * 3600 + rng.choice([0, 0, 0.5, 0.000001, 59.999999]) for _ in range(8)]
        self.instants += rng.sample([self.clock + n for n in (-1, 0, 1, 599, 600, -30 * DAY, -10 * DAY, 601)], 2)
        self.instants += [self.clock - n * DAY for n in (1, 10, 30)]
        self.ids = {kind: rng.choice([1, 2, 3, 4, 4, 15]) for kind in VERBS}
        self.currency = rng.choice(["EUR", "JPY", "KWD"])
        self.values = Values(rng, ["u1", "u2", "u3"], ["EUR", "JPY", "KWD", "USD"], self.currency, self.reference, 1)
        self.ordered, self.numbers = False, {}
        self.settings = self.random_settings(zone)
        kinds = [k for k in list(VERBS) + ["deal"] * 5 + ["contact"] * 4 + ["case"] * 4 + ["call"] * 2 if not only or k in only]
        self.kinds = rng.sample(kinds, min(len(kinds), rng.choice([1, 2, 3, 5, len(kinds)])))
        self.events = [self.event(n) for n in range(rng.randrange(30, 201))]
        self.lines = self.arrivals()

    def random_settings(self, zone):
        """A part of it stands in `default`, which fills in what the tenant does not set."""
        rng = self.rng
        tenant = {"time_zone": zone, "currency": self.currency}
        if rng.random() < 0.8:
            tenant["custom"] = CUSTOM
        if rng.random() < 0.5:
            tenant |= {"week_start": rng.choice(["sunday", "saturday", "wednesday"]), "fiscal_year_start": rng.randrange(1, 13)}
        if rng.random() < 0.5:
            tenant |= {"lists": {"source": ["web"], "stage": ["lead"], "tags": ["vip"], "owner": ["u1", "u2"]} | dict(rng.sample(LISTS, 5)),
                       "stale_after": rng.choice([1, 10])}
        if rng.random() < 0.5:
            tenant |= {"holidays": [instant(self.clock - n * DAY)[:10] for n in (0, 1, 9)], "business_hours": rng.choice(HOURS)}
        if rng.random() < 0.3:
            tenant["expected"] = {"contact": ["email|phone", "source", "name"], "call": ["contact", "callback"], "deal": ["stage", "currency"], "campaign": ["budget"],
                                  "visit": ["goal"], "user": ["name|team"], "interaction": ["cost"], "meeting": ["due"], "email": ["deal|case"]}
        shared = {key: tenant.pop(key) for key in list(tenant) if rng.random() < 0.2}
        if self.seed % 3 == 0:  # drawn by the number: all else of a history is as without
            (tenant if self.seed % 2 else shared)["fold_after"] = 250 + self.seed % 200
        settings = {"tenants": {"default": shared, TENANT: tenant} if shared else {TENANT: tenant}}
        if rng.random() < 0.1:
            self.ordered, settings["max_events"] = True, rng.choice([1, 2, 5])
        return settings

    def reference(self, kind):
        return "%s%d" % (kind[0], self.rng.randrange(self.ids[kind] + 1))

    # --- events ---
    def event(self, n):
        rng = self.rng
        kind = rng.choice(self.kinds)
        verbs = VERBS[kind]
        verb = rng.choices(verbs, [PLAIN.get(v, 1) for v in verbs])[0]
        twice = (kind, verb) == ("contact", "created") and rng.random() < 0.3
        at = rng.choice(self.minutes if twice else self.instants)
        event = {"specversion": "1.0", "id": "e%d" % n, "source": rng.choice(["/a", "/a", "/b"]), "type": "crm.%s.%s" % (kind, verb),
                 "subject": "%s%d" % (kind[0], rng.randrange(self.ids[kind])), "tenantid": TENANT if rng.random() < 0.97 else NEIGHBOUR,
                 "time": instant(at, rng.choice([3, 6, 6, 6]), rng.choice([0, 0, 60, -570]))}
        if rng.random() < 0.02:
            del event["time"]
        if rng.random() < 0.3:
            event["sequence"] = rng.choice(["1", "2", "10"])
        event["data"] = self.data(kind, verb, at) | ({"email": rng.choice(["Same@example.com", "same@EXAMPLE.com "])} if twice else {})
        if rng.random() < 0.3:
            self.share_id(event, kind)
        return event

    def share_id(self, event, kind):
        """An id that events of other entities have, too: nothing but the entity tells them apart."""
        n = self.numbers[kind, event["subject"]] = self.numbers.get((kind, event["subject"]), 0) + 1
        event |= {"id": "x%d" % n, "source": "/a"}
        event.pop("sequence", None)

    def data(self, kind, verb, at):
        rng, data = self.rng, {}
        share = 0.5 if verb in ("created", "opened", "sent", "completed", "set", "logged", "started", "received", "held", "scheduled") else 0.12
        for name in ATTRIBUTES[kind] + CUSTOM.get(kind, []):
            if rng.random() < share:
                data[name] = rng.choice([None, ""]) if rng.random() < 0.08 else self.values.of(name, at)
        for name in REQUIRED.get((kind, verb), []):
            data[name] = self.values.of(name, at)
        for name in OWN.get((kind, verb), []):
            if rng.random() < 0.7:
                data[name] = self.values.of(name, at)
        if "currency" in data and data["currency"] in ("EUR", "KWD", "USD") and "amount" in data and rng.random() < 0.5:
            data["amount"] = "%d.%02d" % (rng.randrange(-5, 900), rng.randrange(100))
        self.at_the_edge(kind, data)
        if kind == "goal":
            self.goal(data)
        return data

    def at_the_edge(self, kind, data):
        """Dates and instants that fall together with what happens, or with the clock; customers that buy again."""
        rng = self.rng
        for name in ("due", "response_due", "resolve_due"):
            if data.get(name) and rng.random() < 0.4:
                data[name] = rng.choice([instant(at, 6) for at in self.instants + [self.clock]] + ["9990-12-01T00:00:00Z", "1753-01-01T00:00:00Z"])
        if data.get("expected_close") and rng.random() < 0.4:
            data["expected_close"] = rng.choice([instant(self.clock + n)[:10] for n in (-DAY, 0, 0, DAY)] + ["9990-12-31", "1753-01-01"])
        if kind == "deal" and rng.random() < 0.15:
            data["contact"] = self.reference("contact")

    def goal(self, data):
        rng, year, month = self.rng, *map(int, self.as_of[:7].split("-"))
        if rng.random() < 0.5:  # of all conditions at most one, or few goals would ever get anywhere
            for name in rng.sample(["owner", "team", "pipeline", "source"], 3):
                data.pop(name, None)
        if data.get("metric"):
            data["metric"] = rng.choice(["revenue", "revenue", "won_deals", rng.choice(list(METRICS)), rng.choice(list(METRICS)), "no_such_metric", "goal_progress"])
        if data.get("period"):
            data["period"] = rng.choice(["%d" % rng.choice([year - 1, year, year]), "%d-Q%d" % (year, rng.randrange(1, 5)), "%d-%02d" % (year, month),
                                         "%d-%02d" % (year, rng.randrange(1, 13))])
        if data.get("target"):
            data["target"] = rng.choice([10, "2500", 0, 3])

    # --- arrival ---
    def arrivals(self):
        """As lines; some events come again, some seeds hold bad ones or ids used twice for different contents."""
        rng = self.rng
        bad, twice, conflicts = rng.choice([0, 0, 0.1]), rng.choice([0, 0.05]), rng.choice([0, 0, 0, 0.05])
        self.ordered = self.ordered or conflicts > 0
        lines = []
        for event in self.events:
            lines.append(line_of(event))
            if rng.random() < twice:
                lines.append(rng.choice(lines))
            if rng.random() < bad:
                lines.append(spoilt(rng, event | {"id": event["id"] + "x"}, self.clock))
            if rng.random() < conflicts:
                lines.append(line_of(event | {"data": event["data"] | {"owner": "u3"}, "time": instant(rng.choice(self.instants))}))
        return lines


def line_of(event):
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
