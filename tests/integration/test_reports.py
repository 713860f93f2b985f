"""All shipped reports, over random histories of all kinds: each snapshot is as the schema says, and every number in it is what
`query` answers for the same cell. No servers: `replay` folds the very same way."""
import datetime
import itertools
import json
import math
import subprocess
import sys

import jsonschema
import pytest
from servers import TESTS

sys.path.insert(0, str(TESTS / "property"))
from histories import TENANT, VERBS, History, line_of  # noqa: E402

SCHEMA = jsonschema.Draft202012Validator(json.loads((TESTS.parent / "config/schemas/report.schema.json").read_text(encoding="utf-8")))
UNITS = ("day", "week", "month", "quarter", "year")
DAY = datetime.timedelta(days=1)
EVENTS = 400


def full_history(number):
    """The number-th one that has all kinds, with more events than the others have."""
    found = (history for history in map(History, itertools.count(9000)) if set(VERBS) <= set(history.kinds))
    history = next(itertools.islice(found, number, None))
    history.events += [history.event(n) for n in range(len(history.events), EVENTS)]
    return history


class Asked:
    """A history in files, and what `replay` says of it."""

    def __init__(self, binary, folder, history, **settings):
        self.binary, self.folder, self.as_of = binary, folder, history.as_of
        (folder / "events").write_text("".join(line_of(event) + "\n" for event in history.events), encoding="utf-8")
        (folder / "config.json").write_text(json.dumps({**history.settings, **settings}), encoding="utf-8")
        self.catalogue = json.loads(self.run("catalogue", "--format", "json"))
        self.metrics = {metric["metric"]: metric for metric in self.catalogue["metrics"]}

    def run(self, command, *words, stdin=""):
        done = subprocess.run([str(self.binary), command, "-c", str(self.folder / "config.json"), *words], input=stdin, capture_output=True,
                              text=True, encoding="utf-8", timeout=300, check=False)
        assert done.returncode in (0, 3), done.stderr
        return done.stdout

    def replay(self, *words, **more):
        return self.run("replay", "--as-of", self.as_of, *words, str(self.folder / "events"), **more)

    def report(self, name):
        documents = map(json.loads, self.replay("--report", name).splitlines())
        return next(document for document in documents if document["tenant"] == TENANT)

    def queries(self, requests):
        lines = "".join(json.dumps({"tenant": TENANT, **request}) + "\n" for request in requests)
        return [json.loads(line) for line in self.replay("--query", "-", stdin=lines).splitlines()]


def request_of(column, period):
    """What asks for the column in the period: its name, or its dates."""
    metric, _, stat = column.partition(".")
    return {"metric": metric, **({"stat": stat} if stat else {}), **period}


def shifted(day, months):
    month = day.year * 12 + day.month - 1 + months
    return datetime.date(month // 12, month % 12 + 1, 1)


def before(period):
    """The dates of the period before; None: there is none."""
    if not period["from"]:
        return None
    first, last = (datetime.date.fromisoformat(period[end]) for end in ("from", "to"))
    name = period["name"]
    months = {"month": 1, "quarter": 3, "year": 12}.get(name.rpartition("_")[2])
    if months:
        return {"from": str(shifted(first, -months)), "to": str(first - DAY)}
    return {"from": str(first - (last - first + DAY)), "to": str(first - DAY)}


def close(a, b):
    """Shares are worked out here in doubles."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(close(a[key], b[key]) for key in a)
    if a is None or b is None or isinstance(a, (str, dict)):
        return a == b
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


def share(part, whole):
    if isinstance(whole, dict):
        return {code: (part or {}).get(code, 0) / value for code, value in whole.items() if value}
    return None if not whole or part is None else part / whole


class Checker:
    """Gathers what has to be asked for the cells of snapshots, asks all at once, compares."""

    def __init__(self, asked):
        self.asked, self.requests, self.checks = asked, [], []
        self.missing = []  # cells of rows that the metric at hand has no row for

    def expect(self, request, check):
        self.requests.append(request)
        self.checks.append(check)

    def answer(self):
        answers = self.asked.queries(self.requests)
        assert len(answers) == len(self.requests)
        for request, answer, check in zip(self.requests, answers, self.checks):
            check(request, answer)

    def has(self, metric, by):
        row = self.asked.metrics[metric]
        return all(name in (row["units"] if name in UNITS else row["by"]) for name in by)

    def one_value(self, column, values, place):
        def check(request, answer):
            if "error" in answer:  # not for this period, or by goal only
                assert values[column] is None, (place, request, answer)
            else:
                assert answer["rows"] == [{"value": values[column]}], (place, request, answer, values[column])
        return check

    def values(self, columns, values, period, place):
        for column in columns:
            if column != "share" and values is not None:
                self.expect(request_of(column, period), self.one_value(column, values, place))

    def section_rows(self, column, section, period, rows, place):
        by = section["by"]
        by_key = {tuple(row[name] for name in by): row[column] for row in rows}

        def check(request, answer):
            if "error" in answer:
                assert all(value is None for value in by_key.values()), (place, request, answer)
                return
            asked = {tuple(row[name] for name in by): row["value"] for row in answer["rows"]}
            assert asked.keys() <= by_key.keys(), (place, request, asked.keys() - by_key.keys())
            for key, value in by_key.items():
                if key in asked:
                    assert asked[key] == value, (place, request, key, asked[key], value)
                elif all(name not in UNITS for name in by) and by != ["goal"]:
                    self.missing.append((dict(zip(by, key)), column, period, value, place))
        self.expect({**request_of(column, period), "by": by}, check)

    def rows(self, columns, section, period, whole, place):
        rows = period["rows"]
        dated = dates_of(period)
        for column in columns:
            metric = column.partition(".")[0]
            if column == "share":
                first = columns[0]
                for row in rows:
                    assert close(row["share"], share(row[first], whole[first])), (place, row)
            elif not self.has(metric, section["by"]):
                assert all(row[column] is None for row in rows), (place, column)
            else:
                self.section_rows(column, section, dated, rows, place)


def dates_of(period):
    return {"from": period["from"], "to": period["to"]} if period["from"] else {"period": "all"}


def check_all(asked):
    """Totals, previous ones and rows of all reports; then the cells that no fact stands behind, one by one."""
    checker = Checker(asked)
    names = [report["report"] for report in asked.catalogue["reports"]]
    assert len(names) == 18
    for name in names:
        document = asked.report(name)
        SCHEMA.validate(document)
        for section in document["sections"]:
            columns = [column["name"] for column in section["columns"] if column["role"] == "metric"]
            for period in section["periods"]:
                place = (name, section["by"], period["name"])
                checker.values(columns, period["total"], dates_of(period), place)
                if before(period):
                    checker.values(columns, period["previous"], before(period), (*place, "previous"))
                else:
                    assert period["previous"] is None
                checker.rows(columns, section, period, period["total"], place)
    checker.answer()
    empty = Checker(asked)
    for key, column, period, value, place in checker.missing:
        where = {name: [one] for name, one in key.items()}
        empty.expect({**request_of(column, period), "where": where}, empty.one_value(column, {column: value}, (*place, key)))
    empty.answer()
    return len(checker.requests) + len(empty.requests)


@pytest.mark.parametrize("number", range(6))
def test_every_number_of_every_report_is_that_of_its_query(binary, tmp_path, number):
    asked = Asked(binary, tmp_path, full_history(number), max_rows=10000)
    assert check_all(asked) > 5000


def additive(metric):
    """Do its rows add up to the total?"""
    formula = metric["formula"]
    return metric["shape"] in ("number", "money") and not any(part in formula for part in "/*") and not any(
        name in formula for name in ("per(", "between(", "weighted(", "likely(", "win_probability", "cycle"))


def added(values):
    """Counts, or money per currency, in cents or less: rounded to what binary fractions leave."""
    if not any(isinstance(value, dict) for value in values):
        return sum(value or 0 for value in values)
    codes = {code for value in values for code in (value or {})}
    sums = {code: round(sum((value or {}).get(code, 0) for value in values), 3) for code in codes}
    return {code: value for code, value in sums.items() if value}


def resolved(asked, name):
    """A formula that is only the name of another metric is that one."""
    metric = asked.metrics[name]
    while metric["formula"] in asked.metrics:
        metric = asked.metrics[metric["formula"]]
    return metric


@pytest.mark.parametrize("number", range(6, 10))
def test_rows_add_up_with_what_is_beyond_the_limit(binary, tmp_path, number):
    """Two rows and "(other)": what can be added up adds up to the total, and the rest is what a query of the others says."""
    history = full_history(number)
    (tmp_path / "few").mkdir(), (tmp_path / "all").mkdir()
    few, whole = Asked(binary, tmp_path / "few", history, max_rows=2), Asked(binary, tmp_path / "all", history, max_rows=10000)
    others = 0
    for report in few.catalogue["reports"]:
        cut, full = few.report(report["report"]), whole.report(report["report"])
        SCHEMA.validate(cut)
        for section, full_section in zip(cut["sections"], full["sections"]):
            for period, full_period in zip(section["periods"], full_section["periods"]):
                others += check_period(few, report["report"], section, period, full_period)
    assert others > 10


def check_period(asked, report, section, period, full_period):
    rows, full = period["rows"], full_period["rows"]
    by = section["by"]
    assert rows[:2] == full[:2] and len(rows) == min(len(full), 3), (report, by, period["name"])
    assert period["total"] == full_period["total"]
    columns = [column["name"] for column in section["columns"] if column["role"] == "metric" and column["name"] in asked.metrics]
    for column in columns:
        if rows and additive(resolved(asked, column)) and all(row[column] is not None for row in rows):
            total = period["total"][column]
            assert added([row[column] for row in rows]) == added([total]), (report, by, period["name"], column)
    if len(rows) < 3:
        return 0
    assert all(rows[2][name] == "(other)" for name in by)
    if by[0] not in UNITS:
        check_other(asked, report, section, period, full[2:])
    return 1


def check_other(asked, report, section, period, left):
    """Ratios, averages and percentiles of "(other)" are those of all that is not shown."""
    name, row = section["by"][0], period["rows"][2]
    columns = [column["name"] for column in section["columns"] if column["role"] == "metric" and column["name"] != "share"]
    asking = [column for column in columns if name in asked.metrics[column.partition(".")[0]]["by"] and name != "goal"]
    where = {name: [other[name] for other in left]}
    answers = asked.queries([{**request_of(column, dates_of(period)), "where": where} for column in asking])
    for column, answer in zip(asking, answers):
        expected = row[column] if "error" not in answer else None
        assert "error" in answer or answer["rows"][0]["value"] == expected, (report, name, period["name"], column, answer, expected)
