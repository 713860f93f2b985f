"""The page's arithmetic and writing, module by module, in the browser: days against Python's, texts against what was worked out by hand."""
import calendar
import datetime
import itertools

import pytest
from sight import Sight

WEEK = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS = [datetime.date(2026, 1, 1), datetime.date(2026, 2, 28), datetime.date(2028, 2, 29), datetime.date(2026, 3, 29), datetime.date(2026, 12, 31)]


@pytest.fixture(scope="module")
def call(browser, demo):
    """call("periods.js", "addMonths", "2026-01-31", 1)"""
    sight = Sight(browser, demo.address).open("tenant=acme&report=goals")
    yield lambda module, name, *arguments: sight.page.evaluate(
        "async ([module, name, given]) => (await import('/' + module))[name](...given)", [module, name, list(arguments)])
    sight.close()


def text(day):
    return day.isoformat()


def spread(first, last):
    return {"from": text(first), "to": text(last)}


def months_later(day, months):
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return datetime.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@pytest.mark.parametrize("day", DAYS, ids=text)
def test_named_periods(call, day):
    one = datetime.timedelta(1)
    for week_start, fiscal in itertools.product(("monday", "sunday", "saturday"), (1, 4, 11)):
        tenant = {"week_start": week_start, "fiscal_year_start": fiscal}
        begin = day - one * ((day.weekday() - WEEK.index(week_start)) % 7)
        first = day.replace(day=1)
        quarter = months_later(first, -((first.month - fiscal) % 12 % 3))
        year = months_later(first, -((first.month - fiscal) % 12))
        wanted = {
            "today": spread(day, day), "yesterday": spread(day - one, day - one), "last_7_days": spread(day - 6 * one, day),
            "this_week": spread(begin, begin + 6 * one), "last_week": spread(begin - 7 * one, begin - one),
            "this_month": spread(first, months_later(first, 1) - one), "last_month": spread(months_later(first, -1), first - one),
            "this_quarter": spread(quarter, months_later(quarter, 3) - one), "last_quarter": spread(months_later(quarter, -3), quarter - one),
            "this_year": spread(year, months_later(year, 12) - one), "last_year": spread(months_later(year, -12), year - one),
            "all": None, "no_such_period": None}
        for name, period in wanted.items():
            assert call("periods.js", "rangeOf", name, text(day), tenant) == period, (name, tenant)


@pytest.mark.parametrize("name, period, previous, year", [
    ("this_month", ("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28"), ("2025-03-01", "2025-03-31")),
    ("this_month", ("2025-02-01", "2025-02-28"), ("2025-01-01", "2025-01-31"), ("2024-02-01", "2024-02-29")),
    ("this_quarter", ("2026-01-01", "2026-03-31"), ("2025-10-01", "2025-12-31"), ("2025-01-01", "2025-03-31")),
    ("last_year", ("2025-04-01", "2026-03-31"), ("2024-04-01", "2025-03-31"), ("2024-04-01", "2025-03-31")),
    ("this_week", ("2026-03-02", "2026-03-08"), ("2026-02-23", "2026-03-01"), ("2025-03-02", "2025-03-08")),
    ("today", ("2028-02-29", "2028-02-29"), ("2028-02-28", "2028-02-28"), ("2027-02-28", "2027-02-28")),
    ("last_30_days", ("2026-03-02", "2026-03-31"), ("2026-01-31", "2026-03-01"), ("2025-03-02", "2025-03-31")),
    (None, ("2026-03-05", "2026-03-14"), ("2026-02-23", "2026-03-04"), ("2025-03-05", "2025-03-14")),
])
def test_what_a_period_is_compared_with(call, name, period, previous, year):
    given = dict(zip(("from", "to"), period))
    assert call("periods.js", "comparedRange", "previous", name, given) == dict(zip(("from", "to"), previous))
    assert call("periods.js", "comparedRange", "year", name, given) == dict(zip(("from", "to"), year))
    assert call("periods.js", "comparedRange", "none", name, given) is None
    assert call("periods.js", "comparedRange", "previous", name, None) is None


@pytest.mark.parametrize("period, unit, first, last", [
    (("2026-03-10", "2026-03-10"), "day", "2026-02-09", "2026-03-10"),
    (("2026-03-01", "2026-03-31"), "week", "2025-12-15", "2026-03-15"),
    (("2026-01-01", "2026-03-31"), "month", "2025-04-01", "2026-03-31"),
    (("2025-01-01", "2025-12-31"), "month", "2024-01-01", "2025-12-31"),
    (None, "month", "2024-04-01", "2026-03-31"),
])
def test_how_far_back_a_development_is_shown(call, period, unit, first, last):
    given = period and dict(zip(("from", "to"), period))
    assert call("periods.js", "trendOf", given, "2026-03-10", "monday") == {"unit": unit, "from": first, "to": last}


@pytest.mark.parametrize("value, unit, shown", [
    (None, "count", "–"), (0, "count", "0"), (12345, "count", "12,345"), (0.6, "ratio", "60.0%"), (2.5, "quotient", "2.50"), (None, "money", "–"),
    ({}, "money", "0"), ({}, "ratio", "–"), ({"EUR": 12.5}, "money", "€12.50"), ({"JPY": 900}, "money", "¥900"), ({"EUR": 1, "USD": 2}, "money", "€1.00, $2.00"),
    ({"EUR": 0.25}, "ratio", "25.0%"), ({"EUR": 0.25, "USD": -0.5}, "ratio", "25.0% EUR, -50.0% USD"), ({"XXQ": 5}, "money", "XXQ 5.00"),
    (41.5, "days", "42 d"), (0.05, "days", "1.2 h"), (2.25, "hours", "2.3 h"), (30, "hours", "1.3 d"), (0.2, "hours", "12 min"), (8, "seconds", "8 s"), (0, "hours", "0 s"),
    (4.256, "score", "4.26"), (3, "goal", "3"),
])
def test_values_as_people_read_them(call, value, unit, shown):
    assert call("format.js", "write", value, unit).replace("\u00a0", " ") == shown


@pytest.mark.parametrize("amount, currency, shown", [
    (0.35, "EUR", "€0.35"), (12.34, "EUR", "€12.34"), (999.5, "EUR", "€999.50"), (12, "EUR", "€12"), (0, "EUR", "€0"), (900, "JPY", "¥900"),
    (1250, "EUR", "€1.3k"), (-484080.5, "EUR", "-€484.1k"), (0.125, "BHD", "BHD 0.125"),
])
def test_short_amounts_keep_what_counts(call, amount, currency, shown):
    assert call("format.js", "money", amount, currency, True).replace("\u00a0", " ").lower() == shown.lower()


@pytest.mark.parametrize("value, unit, shown", [
    (0.05, "hours", "0.05"), (0.1, "hours", "0.1"), (0.00002, "days", "0.00002"), (0.30000000000000004, "days", "0.3"), (0, "hours", "0"),
    (1.5, "hours", "1.5"), (4000, "count", "4,000"), (12000, "count", "12k"), (0.6, "ratio", "60%"), (0.15, "money", "€0.15"), (50000, "money", "€50k"),
])
def test_marks_of_an_axis_differ(call, value, unit, shown):
    assert call("format.js", "tick", value, unit, "EUR").lower() == shown


@pytest.mark.parametrize("now, before, unit, change", [
    (12, 10, "count", ("+20%", 1)), (10, 12, "count", ("-17%", -1)), (10, 10, "count", ("±0", 0)), (3, 0, "count", None), (None, 3, "count", None),
    (0.5, 0.45, "ratio", ("+5 pp", 1)), (0.5, 0.49999, "ratio", ("±0", 0)), ({"EUR": 110}, {"EUR": 100}, "money", ("+10%", 1)), ({"USD": 1}, {"EUR": 100}, "money", None),
])
def test_how_a_number_moved(call, now, before, unit, change):
    found = call("format.js", "change", now, before, unit, "EUR")
    assert (found and (found["text"], found["sign"])) == change


@pytest.mark.parametrize("view", [
    {"tenant": "acme", "report": "service", "compare": "previous", "where": {}},
    {"tenant": "a&b=c", "report": "x", "compare": "year", "from": "2026-01-01", "to": "2026-01-31", "where": {"owner": ["anna", None, "~null", "~", "a&b", "ü#?"], "custom.region": [""]}},
])
def test_an_address_says_the_view_again(call, view):
    assert call("address.js", "readAddress", call("address.js", "writeAddress", view)) == view


def test_a_file_is_quoted_and_no_formula(call):
    columns = [{"name": "won_deals", "metric": "won_deals", "unit": "count"}, {"name": "revenue", "metric": "revenue", "unit": "money"}, {"name": "margin", "metric": "margin", "unit": "ratio"}]
    rows = [{"owner": 'say "hi", you', "won_deals": 1, "revenue": {"EUR": 1.5}}, {"owner": "=1+1", "won_deals": 0, "revenue": {"USD": -2}, "margin": None}, {"owner": None, "won_deals": 7, "revenue": {}}]
    model = {"by": ["owner"], "columns": columns, "total": {"won_deals": 8, "revenue": {"EUR": 1.5, "USD": -2}}, "rows": rows}
    assert call("csv.js", "csv", model, rows) == (
        'owner,won_deals,revenue:EUR,revenue:USD,margin\r\n"say ""hi"", you",1,1.5,,\r\n"\'=1+1",0,,-2,\r\n,7,,,\r\n')
    assert call("csv.js", "csv", {**model, "by": []}, []) == "won_deals,revenue:EUR,revenue:USD,margin\r\n8,1.5,-2,\r\n"
