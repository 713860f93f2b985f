"""A report's document against the model: its periods, totals, what they were in the period before, and its rows."""
import datetime

import agree
from almanac import DAY, UNITS

ALL = "all"


def previous(almanac, name, span):
    """(first, last) of the period before, of the same kind and length."""
    first, last = span
    unit = name.rpartition("_")[2]
    if unit in UNITS:
        return almanac.previous(unit, first), first - DAY
    return first - (last - first) - DAY, first - DAY


class Report:
    """Finds the first figure of a document that the model sees otherwise."""

    def __init__(self, model, document):
        self.model, self.document, self.tenant = model, document, document["tenant"]
        self.facts = model.facts(self.tenant)

    def value(self, column, span, by=(), where=None):
        """{labels: value} of a column of the report (a metric, perhaps with a statistic) over days; None where it cannot be asked so."""
        metric, _, stat = column.partition(".")
        query = {"tenant": self.tenant, "metric": metric} | ({"stat": stat} if stat else {})
        query |= {"by": list(by)} if by else {}
        query |= {"where": where} if where else {}
        query |= {"from": str(span[0]), "to": str(span[1])} if span else {}
        answer = self.model.answer(query)
        return None if "error" in answer else {tuple(row[name] for name in by): row["value"] for row in answer["rows"]}

    def differs(self):
        """(where, what it should be, what it is), or None."""
        for section in self.document["sections"]:
            columns = [c["name"] for c in section["columns"] if c["role"] == "metric" and c["name"] != "share"]
            for period in section["periods"]:
                for what, want, got, stat in self.figures(section, columns, period):
                    if not agree.agrees(want, got, stat):
                        return "%s by %s, %s: %s" % (self.document["report"], section["by"], period["name"], what), str(want), str(got)
        return None

    def figures(self, section, columns, period):
        """(what, expected, found, statistic)"""
        span = self.facts.almanac.period(period["name"], self.facts.today)
        whole = None if period["name"] == ALL else span
        if whole:
            yield "from", span[0].toordinal(), datetime.date.fromisoformat(period["from"]).toordinal(), ""
            yield "to", span[1].toordinal(), datetime.date.fromisoformat(period["to"]).toordinal(), ""
        keys = set()
        for column in columns:
            stat = column.partition(".")[2]
            total = self.value(column, whole)
            yield "total " + column, total and total[()], period["total"][column], stat
            if whole:
                before = self.value(column, previous(self.facts.almanac, period["name"], span))
                yield "previous " + column, before and before[()], period["previous"][column], stat
            keys |= (self.value(column, whole, section["by"]) or {}).keys()
        yield "rows", len(keys), len(period["rows"]), ""
        for row in period["rows"]:
            yield from self.row(section["by"], columns, whole, row)

    def row(self, by, columns, span, row):
        key = tuple(row[name] for name in by)
        timed = any(name in UNITS for name in by)
        for column in columns:
            rows = self.value(column, span, by)
            want = rows and rows.get(key)
            if rows is not None and key not in rows and not timed:
                alone = self.value(column, span, (), {name: [value] for name, value in zip(by, key)})
                want = alone and alone[()]
            if not (timed and rows is not None and key not in rows):
                yield "row %s %s" % (key, column), want, row[column], column.partition(".")[2]
