#!/usr/bin/env python3
"""The contract, read a second time: plain and slow, sharing no line with the daemon. Folds events from scratch and answers queries.

    model.py replay --as-of INSTANT [-c CONFIG] --query QUERIES EVENTS      as crm-reportd does it
"""
import argparse
import json
import sys
from decimal import Decimal
from pathlib import Path

from query import Ask, Refused, is_request
from facts import Facts, Row, entities_of
from goals import VALUES, AskGoals
from intake import Intake, Rejected, decimals, micros

class Model:
    """All tenants, of lines (bytes) in their order of arrival. `rejected`: [(line number, reason code)]."""

    def __init__(self, lines, config, as_of):
        self.config, self.clock = config, micros(as_of)
        self.intake = Intake(self.settings, config.get("max_event_bytes", 1 << 20), config.get("max_ahead_s", 600))
        self.events, self.rejected, self.arrivals, self.folded = {}, [], {}, {}
        for number, line in enumerate(lines, 1):
            try:
                self.keep(self.intake.read(line, self.clock))
            except Rejected as why:
                self.rejected.append((number, why.args[0]))
                self.arrival(why.args[1], "rejected_event", {"reason": why.args[0]})

    def keep(self, event):
        entities = self.events.setdefault(event.tenant, {})
        known = entities.setdefault((event.kind, event.subject), {})
        if (event.source, event.id) in known:
            return self.arrival(event.tenant, "duplicate_event", {})
        if len(known) >= self.config.get("max_events", 10000):
            raise Rejected("too_many_events", event.tenant)
        known[event.source, event.id] = event
        return None

    def arrival(self, tenant, fact, dims):
        self.arrivals.setdefault(tenant, []).append(Row(fact, None, dims, {"count": 1}, None))

    def settings(self, tenant):
        tenants = self.config.get("tenants", {})
        return tenants.get("default", {}) | tenants.get(tenant, {})

    def facts(self, tenant):
        if tenant not in self.folded:
            events = [event for known in self.events.get(tenant, {}).values() for event in known.values()]
            facts = Facts(entities_of(events), self.settings(tenant), self.clock)
            for row in self.arrivals.get(tenant, []):
                facts.rows[row.fact].append(row)
            self.folded[tenant] = facts
        return self.folded[tenant]

    def answer(self, query):
        """{"rows": [...]} with exact values (Fraction, Decimal, int, None, {currency: …}), or {"error": {"code": …}}."""
        tenant = query.get("tenant", "default")
        try:
            if not is_request(query):
                raise Refused("bad_request")
            if tenant not in self.events and tenant not in self.arrivals and tenant not in self.config.get("tenants", {}):
                raise Refused("unknown_tenant")
            rows = (AskGoals if query["metric"] in VALUES else Ask)(self.facts(tenant), query).answer()
            return {"rows": [dict(zip(query.get("by", []), labels)) | {"value": value} for labels, value in rows]}
        except Refused as why:
            return {"error": {"code": why.args[0], "message": why.args[0].replace("_", " ")}}


def printed(value, currency=None):
    """JSON of an answer's value."""
    if isinstance(value, dict):
        return "{%s}" % ",".join('"%s":%s' % (c, printed(value[c], c)) for c in sorted(value))
    if isinstance(value, Decimal):
        return format(value, ".%df" % decimals(currency))
    if value is None or isinstance(value, (bool, int)):
        return json.dumps(value)
    return json.dumps(value.numerator if value.denominator == 1 else float(value))


def line_of(answer):
    if "error" in answer:
        return json.dumps(answer)
    rows = [",".join([json.dumps(name) + ":" + (printed(row[name]) if name == "value" else json.dumps(row[name], ensure_ascii=False)) for name in row])
            for row in answer["rows"]]
    return '{"rows":[%s]}' % ",".join("{%s}" % row for row in rows)


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("replay", choices=["replay"])
    ap.add_argument("--as-of", required=True)
    ap.add_argument("-c", "--config", type=Path)
    ap.add_argument("--query", required=True, type=Path)
    ap.add_argument("events", type=Path)
    args = ap.parse_args()
    lines = args.events.read_bytes().split(b"\n")
    model = Model([line for line in lines if line], json.loads(args.config.read_text()) if args.config else {}, args.as_of)
    for number, code in model.rejected:
        print("line %d: %s: rejected" % (number, code), file=sys.stderr)
    for query in args.query.read_text(encoding="utf-8").splitlines():
        print(line_of(model.answer(json.loads(query))))
    sys.exit(3 if model.rejected else 0)


if __name__ == "__main__":
    main()
