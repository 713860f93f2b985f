"""Answers a query (snapshots.md) from the rows of a tenant's facts: which rows there are, of which days, and their values."""
import datetime

from almanac import DAY, EVER, UNITS
from facts import dimensions
from metrics import METRICS

STATS = ("average", "p50", "p90", "p95")


class Refused(Exception):
    """args: error code"""


def is_request(query):
    """Is it of the form that a request has? Names and days in it may still be wrong."""
    def texts(values, *others):
        return isinstance(values, list) and all(isinstance(value, str) or value in others for value in values)
    where = query.get("where", {})
    return (query.keys() <= {"tenant", "metric", "from", "to", "period", "by", "where", "stat"} and isinstance(query.get("metric"), str)
            and all(isinstance(query[name], str) for name in ("tenant", "from", "to", "period", "stat") if name in query)
            and ("from" in query) == ("to" in query) and texts(query.get("by", []))
            and isinstance(where, dict) and all(texts(values, None) for values in where.values()))


class Ask:
    """One query. After `rows()` has set `unit span` and `days`, a metric's value reads `stat`, `days` and `facts` from here."""

    def __init__(self, facts, query):
        self.facts, self.almanac, self.query = facts, facts.almanac, query
        self.metric = METRICS.get(query["metric"])
        if self.metric is None:
            raise Refused("unknown_metric")
        by = query.get("by", [])
        self.unit = next((name for name in by if name in UNITS), None)
        if len([name for name in by if name in UNITS]) > 1 or len(set(by)) < len(by):
            raise Refused("bad_request")
        self.by, self.where, self.stat = by, query.get("where", {}), query.get("stat", "average")
        self.dims = [name for name in by if name not in UNITS]
        self.check_names()
        self.range = self.span()
        self.check_range()
        self.check_days()

    # --- what can be asked ---
    def known_dimensions(self):
        custom = self.facts.settings.get("custom", {})
        known = set.intersection(*[dimensions(fact, custom) for term in self.metric.terms for fact in term.facts])
        return known & self.metric.only if self.metric.only else known

    @property
    def timeless(self):
        return all(term.span in ("now", "ever") for term in self.metric.terms)

    def check_names(self):
        known = self.known_dimensions()
        if not known.issuperset([*self.dims, *self.where]) or (self.unit and self.timeless):
            raise Refused("unknown_dimension")
        if "stat" in self.query and (not self.metric.spread or self.stat not in STATS):
            raise Refused("unknown_stat")

    def span(self):
        query = self.query
        if "period" in query:
            if "from" in query or "to" in query:
                raise Refused("bad_request")
            found = self.almanac.period(query["period"], self.facts.today)
            if not found:
                raise Refused("unknown_period")
            return found
        if "from" not in query:
            return EVER
        try:
            first, last = datetime.date.fromisoformat(query["from"]), datetime.date.fromisoformat(query["to"])
        except ValueError:
            raise Refused("bad_range") from None
        if first > last:
            raise Refused("bad_range")
        return first, last

    def check_range(self):
        metric, whole = self.metric, self.metric.whole
        if metric.days and self.range == EVER and not self.unit:
            raise Refused("bad_range")
        if whole and self.unit is None and not self.almanac.whole(whole, self.range):
            raise Refused("bad_range")
        if whole and self.unit and not (self.unit in whole and self.cuts_no_unit()):
            raise Refused("bad_range")

    def check_days(self):
        """Of months that have been over for longer than `fold_after` days there are no single days."""
        after = self.facts.settings.get("fold_after", 0)
        terms = [term for term in self.metric.terms if term.span != "now"]
        if not after or not terms:
            return
        kept = (self.facts.today - datetime.timedelta(after)).replace(day=1)
        daily = self.unit in ("day", "week")
        begins = {day for term in terms for day in self.cuts(term) if day not in EVER and (daily or day.day != 1)}
        if (daily and self.range[0] == EVER[0]) or any(day.replace(day=1) < kept for day in begins):
            raise Refused("days_folded")

    def cuts(self, term):
        """Days at which what the term takes begins, or has just ended."""
        first, last = self.range
        behind = last if last == EVER[1] else last + DAY
        if self.unit:
            return first, behind
        return {"ever": (), "level": (behind,), "before": (first,)}.get(term.span, (first, behind))

    def cuts_no_unit(self):
        first, last = self.range
        return self.range == EVER or (self.almanac.start(self.unit, first) == first and self.almanac.start(self.unit, last + DAY) == last + DAY)

    # --- rows ---
    def answer(self):
        """[(labels in the order of `by`, value)]"""
        chosen = [self.rows_of(term) for term in self.metric.terms]
        if not self.by:
            return [((), self.value(chosen, (), None))]
        keys = {key for rows in chosen for key in rows}
        units = [None] if self.unit is None else self.units(chosen)
        found = [(self.labels(key, unit), self.value(chosen, key, unit)) for key in keys for unit in units if self.occurs(chosen, key, unit)]
        return sorted(found, key=lambda row: [(label is None, (label or "").encode()) for label in row[0]])

    def rows_of(self, term):
        """{key of dimensions: [(sign, row)]} of what passes the term's filter and `where`."""
        found = {}
        for fact, sign in term.facts.items():
            for row in self.facts.rows[fact]:
                if term.passes(row) and all(row.dims.get(name) in values for name, values in self.where.items()):
                    found.setdefault(tuple(row.dims.get(name) for name in self.dims), []).append((sign, row))
        return found

    def units(self, chosen):
        """First days of all units that could have a row."""
        starts, levels = set(), [t.span in ("level", "before") for t in self.metric.terms]
        for rows, level, term in zip(chosen, levels, self.metric.terms):
            for _, row in (row for part in rows.values() for row in part):
                if isinstance(row.day, tuple):
                    starts |= {row.day[1], self.almanac.next(self.unit, row.day[1])} if row.day[0] == self.unit else set()
                else:
                    starts.add(self.almanac.start(self.unit, row.day))
        if any(levels) and starts:
            start, last = max(min(starts), self.almanac.start(self.unit, self.range[0]) if self.range[0] > datetime.date.min else min(starts)), self.facts.today
            while start <= last:
                starts.add(start)
                start = self.almanac.next(self.unit, start)
        return [start for start in starts if start <= self.range[1] and self.almanac.next(self.unit, start) > self.range[0]]

    def part_span(self, unit):
        """(first, last) day of the range, or of the unit within it."""
        if unit is None:
            return self.range
        return max(unit, self.range[0]), min(self.almanac.next(self.unit, unit) - DAY, self.range[1])

    def select(self, term, rows, unit):
        """Of a term's rows those that count for the range, or for the unit within it."""
        first, last = self.part_span(unit)
        if term.span in ("now", "ever"):
            return rows
        if term.span == "level":
            return [(sign, row) for sign, row in rows if row.day <= last]
        if term.span == "before":
            return [(sign, row) for sign, row in rows if row.day < first]
        if term.span == "in":
            return [(sign, row) for sign, row in rows if first <= row.day <= last]
        name = self.unit or self.almanac.whole(self.metric.whole, self.range)
        start = first if term.span == "unit" else self.almanac.previous(name, first)
        return [(sign, row) for sign, row in rows if row.day == (name, start)]

    def occurs(self, chosen, key, unit):
        """Is there a row: a fact in the range, or a level that is not 0 at its day?"""
        for term, rows in zip(self.metric.terms, chosen):
            part = self.select(term, rows.get(key, []), unit)
            if term.span in ("level", "before", "unit before"):
                if (unit is None or unit <= self.facts.today) and sum(sign for sign, _ in part):
                    return True
            elif part:
                return True
        return False

    def value(self, chosen, key, unit):
        first, last = self.part_span(unit)
        self.days = max(0, (min(last, self.facts.today) - first).days + 1)
        return self.metric.value([self.select(term, rows.get(key, []), unit) for term, rows in zip(self.metric.terms, chosen)], self)

    def labels(self, key, unit):
        named = dict(zip(self.dims, key))
        return tuple(self.almanac.label(self.unit, unit) if name == self.unit else named[name] for name in self.by)
