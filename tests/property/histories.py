"""Small random histories, dense with everything that tempts a counter to go wrong: ties, deletions, merges, late corrections."""
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "model"))
from vocabulary import ATTRIBUTES, OWN, REQUIRED, VERBS, Values, instant  # noqa: E402

TENANT = "acme"
DAY = 86400
CENTRES = [1774746000, 1792890000, 1767225600, 1772280000]  # 2026-03-29 01:00Z, 2026-10-25 01:00Z, New Year, end of February
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"]
PLAIN = {"updated": 3, "created": 3, "stage_changed": 4, "deleted": 0.5, "merged": 2, "won": 2, "set": 3, "opened": 2}


class History:
    """Events (dicts, as CloudEvents), settings and the clock, all from one seed."""

    def __init__(self, seed, only=None):
        self.rng = rng = random.Random(seed)
        centre = rng.choice(CENTRES)
        span = rng.choice([2, 20, 120]) * DAY
        self.instants = [centre + rng.randrange(-span, span) for _ in range(rng.randrange(5, 60))]
        self.instants += [self.instants[0] + n for n in (-600, -1, 1, 599.999999, 600)]
        self.instants += [centre + rng.randrange(-4, 5) * 3600 + rng.choice([0, 0, 0.5, 0.000001, 59.999999]) for _ in range(8)]
        self.clock = centre + round(span * rng.uniform(0.3, 1.2))
        self.as_of = instant(self.clock)
        self.ids = {kind: rng.choice([1, 2, 3, 4, 4, 15]) for kind in VERBS}
        self.currency = rng.choice(["EUR", "JPY", "KWD"])
        self.values = Values(rng, ["u1", "u2", "u3"], ["EUR", "JPY", "KWD", "USD"], self.currency, self.reference, 1)
        self.settings = self.random_settings()
        kinds = [k for k in list(VERBS) + ["deal"] * 5 + ["contact"] * 4 + ["case"] * 4 + ["call"] * 2 if not only or k in only]
        self.kinds = rng.sample(kinds, min(len(kinds), rng.choice([1, 2, 3, 5, len(kinds)])))
        self.events = [self.event(n) for n in range(rng.randrange(30, 201))]

    def random_settings(self):
        rng = self.rng
        tenant = {"time_zone": rng.choice(ZONES), "currency": self.currency, "custom": {"deal": ["region"], "case": ["product"]}}
        if rng.random() < 0.5:
            tenant |= {"week_start": rng.choice(["sunday", "saturday", "wednesday"]), "fiscal_year_start": rng.randrange(1, 13)}
        if rng.random() < 0.5:
            tenant |= {"lists": {"source": ["web"], "stage": ["lead"], "tags": ["vip"]}, "stale_after": rng.choice([1, 10])}
        if rng.random() < 0.3:
            tenant |= {"holidays": ["2026-03-30", "2026-02-28"], "business_hours": {"sunday": [["01:30", "03:30"]], "monday": [["00:00", "24:00"]]}}
        return {"tenants": {TENANT: tenant}}

    def reference(self, kind):
        return "%s%d" % (kind[0], self.rng.randrange(self.ids[kind] + 1))

    def event(self, n):
        rng = self.rng
        kind = rng.choice(self.kinds)
        verbs = VERBS[kind]
        verb = rng.choices(verbs, [PLAIN.get(v, 1) for v in verbs])[0]
        at = rng.choice(self.instants)
        event = {"specversion": "1.0", "id": "e%d" % n, "source": rng.choice(["/a", "/a", "/b"]), "type": "crm.%s.%s" % (kind, verb),
                 "subject": "%s%d" % (kind[0], rng.randrange(self.ids[kind])), "tenantid": TENANT,
                 "time": instant(at, 6, rng.choice([0, 0, 60, -570]))}
        if rng.random() < 0.02:
            del event["time"]
        if rng.random() < 0.3:
            event["sequence"] = rng.choice(["1", "2", "10", ""])
            if not event["sequence"]:
                del event["sequence"]
        event["data"] = self.data(kind, verb, at)
        return event

    def data(self, kind, verb, at):
        rng, data = self.rng, {}
        share = 0.5 if verb in ("created", "opened", "sent", "completed", "set", "logged", "started", "received") else 0.12
        for name in ATTRIBUTES[kind] + {"deal": ["region"], "case": ["product"]}.get(kind, []):
            if rng.random() < share:
                data[name] = rng.choice([None, ""]) if rng.random() < 0.08 else self.values.of(name, at)
        for name in REQUIRED.get((kind, verb), []):
            data[name] = self.values.of(name, at)
        for name in OWN.get((kind, verb), []):
            if rng.random() < 0.7:
                data[name] = self.values.of(name, at)
        if "currency" in data and data["currency"] in ("EUR", "KWD") and "amount" in data and rng.random() < 0.5:
            data["amount"] = "%d.%02d" % (rng.randrange(-5, 900), rng.randrange(100))
        return data


def lines_of(events):
    return [json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in events]
