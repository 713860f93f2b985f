"""The dashboard in a real browser, on the demo's living feed: choosing, narrowing, opening numbers, files, links."""
import csv
import io
import json
import re

import pytest
from demo import wait_until

REPORTS = ["pipeline", "profitability", "sales_cycle", "sales_performance", "forecast", "conversion", "goals", "leads", "lost_deals",
           "sales_activity", "service", "calls", "campaigns", "email", "web", "customers", "adoption", "audit"]


def same(a, b):
    return a == b or (isinstance(a, (int, float)) and isinstance(b, (int, float)) and abs(a - b) <= 1e-9 * max(1, abs(a)))


def plain(value):
    """A number as the table holds it: money in its only currency."""
    if isinstance(value, dict):
        return next(iter(value.values()), 0)
    return value


def period_of(document, by, name):
    section = next(one for one in document["sections"] if one["by"] == by)
    return next(one for one in section["periods"] if one["name"] == name)


def soon_none(differences):
    """The feed goes on, and the page follows within seconds: there is a moment in which it shows what is asked."""
    last = []

    def agree():
        last[:] = differences()
        return not last
    wait_until(agree, lambda: last[:3], 30, 0.4)


@pytest.mark.parametrize("report", REPORTS)
def test_each_report_is_shown_to_everybody(see, demo, report):
    sight = see("tenant=acme&report=%s" % report, axe=True)
    page = sight.page
    assert page.locator("h1").inner_text().lower().replace(" ", "_") == report
    assert page.locator("nav a[aria-current=page]").count() == 1
    shown = page.locator("figure.chart")
    assert shown.count() >= 1
    assert shown.locator("canvas, .panel").count() >= 1
    for canvas in page.locator("canvas").all():
        assert canvas.get_attribute("aria-label") and canvas.bounding_box()["height"] > 100
    assert sight.excluded() == []


@pytest.mark.parametrize("report, by, period", [("sales_performance", "owner", "last_month"), ("conversion", "source", "last_month"), ("service", "case_kind", "this_month")])
def test_the_table_is_the_report(see, demo, report, by, period):
    sight = see("tenant=globex&report=%s&by=%s&period=%s" % (report, by, period))

    def differences():
        wanted, table = period_of(demo.report(report, "globex"), [by], period), sight.table()
        rows = {"Total": wanted["total"]} | {row[by] or "(none)": row for row in wanted["rows"]}
        if table.keys() != rows.keys():
            return [table.keys() ^ rows.keys()]
        return [(name, column, shown, row.get(column)) for name, row in rows.items() for column, shown in table[name].items()
                if not same(shown, plain(row.get(column)))]
    soon_none(differences)


def test_choosing_is_in_the_address_and_a_link_shows_the_same(see, browser, demo):
    sight = see("")
    sight.choose("tenant", "initech")
    sight.page.click("nav a:has-text('Sales performance')")
    sight.page.wait_for_selector("h1:text-is('Sales performance')")
    sight.drawn().choose("period", "last_month").choose("by", "team").choose("compare", "year")
    sight.page.click("table.report thead button:has-text('Won deals')")
    sight.drawn()
    link = sight.page.url
    assert all(part in link for part in ("tenant=initech", "report=sales_performance", "period=last_month", "by=team", "compare=year", "sort=-won_deals"))
    other = see(link.split("#")[1])
    assert other.page.locator("h1").inner_text() == "Sales performance"
    assert other.page.input_value("[data-input=tenant]") == "initech"
    assert other.table().keys() == sight.table().keys()
    assert {"kanto", "kansai"} <= set(other.table())
    sight.page.go_back()
    sight.page.go_back()
    wait_until(lambda: sight.page.input_value("[data-input=compare]") == "previous", "the comparison before")


def test_a_range_of_days(see, demo):
    sight = see("tenant=acme&report=sales_performance&period=last_month")
    sight.choose("period", "custom")
    first, last = sight.page.input_value("[data-input=from]"), sight.page.input_value("[data-input=to]")
    assert first.endswith("-01") and last[:7] == first[:7]
    sight.page.fill("[data-input=to]", first[:8] + "10")
    sight.page.wait_for_url(re.compile("to=%s10" % first[:8]))
    sight.drawn()
    rows = demo.query("won_deals", **{"from": first, "to": first[:8] + "10"}, by=["owner"])
    table = sight.table()
    assert {row["owner"]: row["value"] for row in rows} == {name: row["won_deals"] for name, row in table.items() if name != "Total" and row["won_deals"] is not None}


def test_filtering(see, demo):
    sight = see("tenant=acme&report=sales_performance&period=last_month&by=team")
    page = sight.page
    page.click("button:text-is('Filter')")
    page.select_option("[data-input=filter-dimension]", "owner")
    page.wait_for_selector("#filter label:has-text('anna')")
    page.fill("[data-input=filter-search]", "ann")
    assert page.locator("#filter .choices label").all_inner_texts() == ["anna"]
    page.check("#filter label:has-text('anna') input")
    page.click("#filter button:has-text('Apply')")
    page.wait_for_url(re.compile("where.owner=anna"))
    sight.drawn()
    assert page.locator(".chip").inner_text().startswith("Owner: anna")

    def is_as_asked(metric):  # the feed goes on meanwhile, and a filtered table follows within seconds
        wanted = plain(demo.query(metric, period="last_month", where={"owner": ["anna"]})[0]["value"])
        return same(sight.table()["Total"][metric], wanted)
    for metric in ("won_deals", "sales_calls", "revenue"):
        wait_until(lambda: is_as_asked(metric), metric, 15, 0.5)
    page.click(".chip")
    page.wait_for_url(lambda url: "where" not in url)
    sight.drawn()
    page.click("table.report tbody button.member:has-text('south')")
    page.wait_for_url(re.compile("where.team=south"))


def test_a_filtered_table_is_one_question(see):
    """All columns of a filtered view come in one request (and one for the total), not one by one."""
    sight = see("tenant=acme&report=sales_performance&period=last_month&by=team")
    bodies = []
    sight.page.on("request", lambda request: request.url.endswith("/query") and bodies.append(json.loads(request.post_data)))
    sight.page.click("table.report tbody button.member:has-text('south')")
    sight.page.wait_for_url(re.compile("where.team=south"))
    sight.drawn()
    tables = [body for body in bodies if "revenue" in body.get("metrics", []) and "sales_cycle.p90" in body["metrics"]]
    shown = [body for body in tables if body["from"] == tables[0]["from"]]
    assert sorted(body["by"] for body in shown if body["by"] in ([], ["team"])) == [[], ["team"]], bodies
    assert len(bodies) < 16, len(bodies)


def test_a_number_opens_what_is_behind_it(see, demo):
    sight = see("tenant=acme&report=conversion&period=last_month")
    page = sight.page
    shown = int(sight.cell("web", "leads").locator("button").inner_text())
    sight.cell("web", "leads").locator("button").click()
    page.wait_for_selector("#explain .part")
    dialog = page.locator("#explain")
    assert dialog.locator("h2").inner_text() == "Leads"
    assert "source web" in dialog.inner_text()
    assert int(dialog.locator(".part h3 .n").inner_text()) == shown
    assert dialog.locator("tbody tr").count() == shown
    assert re.match(r"C-\d+", dialog.locator("tbody code").first.inner_text())
    page.keyboard.press("Escape")
    sight.cell("web", "conversion_rate").locator("button").click()
    page.wait_for_selector("#explain .part .part")
    assert [text.split("\n")[0] for text in dialog.locator(".part .part h3").all_inner_texts()][:2] == ["Numerator", "Divided by"]
    page.click("#explain [data-action=close]")
    assert not dialog.is_visible()


def test_a_goal_opens_what_it_counts(see):
    sight = see("tenant=acme&report=goals")
    sight.cell("revenue-anna", "actual").locator("button").click()
    sight.page.wait_for_selector("#explain .part")
    assert "goal revenue-anna" in sight.page.locator("#explain header").inner_text()
    sight.page.click("#explain button:has-text('revenue')")
    sight.page.wait_for_selector("#explain h2:text-is('Revenue')")
    sight.page.wait_for_selector("#explain tbody code:has-text('D-')")
    assert "owner anna" in sight.page.locator("#explain header").inner_text()


def test_a_point_of_a_chart_opens_what_is_behind_it(see):
    sight = see("tenant=acme&report=lost_deals&period=last_month")
    canvas = sight.page.locator("canvas").first
    box = canvas.bounding_box()
    sight.page.wait_for_timeout(700)
    canvas.click(position={"x": box["width"] * 0.3, "y": 40})
    sight.page.wait_for_selector("#explain .part")
    assert sight.page.locator("#explain h2").inner_text() == "Lost deals"


def test_a_file_equals_the_queries(see, demo):
    sight = see("tenant=acme&report=sales_performance&period=last_month&by=owner&where.team=north&where.team=south")
    with sight.page.expect_download() as download:
        sight.page.click("button:has-text('Download CSV')")
    assert re.match(r"acme-sales_performance-owner-\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d\.csv", download.value.suggested_filename)
    text = download.value.path().read_bytes().decode()
    rows = {row["owner"]: row for row in csv.DictReader(io.StringIO(text))}
    assert text.endswith("\r\n") and len(rows) == 4
    asked = {"won_deals": ("won_deals", None), "revenue:EUR": ("revenue", None), "close_rate": ("close_rate", None), "sales_calls": ("sales_calls", None),
             "sales_cycle.average": ("sales_cycle", "average"), "sales_cycle.p90": ("sales_cycle", "p90")}
    for column, (metric, stat) in asked.items():
        answer = demo.query(metric, period="last_month", by=["owner"], where={"team": ["north", "south"]}, **({"stat": stat} if stat else {}))
        assert {row["owner"]: plain(row["value"]) for row in answer} == {owner: float(row[column]) for owner, row in rows.items()}, column


@pytest.mark.parametrize("compare", ["previous", "year"])
def test_comparing(see, demo, compare):
    sight = see("tenant=acme&report=sales_performance&period=last_month&compare=%s" % compare)
    first = period_of(demo.report("sales_performance"), ["owner"], "last_month")["from"]
    year, month = map(int, first.split("-")[:2])
    year, month = (year - 1, month) if compare == "year" else (year, month - 1) if month > 1 else (year - 1, 12)
    begin = "%04d-%02d-01" % (year, month)
    end = "%04d-%02d-%02d" % (year, month, [31, 29 if year % 4 == 0 else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1])
    now, before = (plain(demo.query("won_deals", **when)[0]["value"]) for when in ({"period": "last_month"}, {"from": begin, "to": end}))
    delta = sight.cell("Total", "won_deals").locator(".delta")
    if not before:
        assert delta.count() == 0
    else:
        assert abs(float(re.sub(r"[^\d.-]", "", delta.inner_text())) - (now - before) / before * 100) <= 0.51


def test_what_is_not_there(see):
    sight = see("tenant=acme&report=nothing_like_this")
    assert "nothing_like_this" in sight.page.locator("main").inner_text()
    assert all(wrong.startswith(("404 ", "console: Failed to load resource")) for wrong in sight.wrong), sight.wrong
    sight.wrong.clear()
    sight.page.click("nav a:has-text('Service')")
    sight.page.wait_for_selector("h1:text-is('Service')")
    sight.drawn()


def test_the_funnel_has_the_probability_to_win(see, demo):
    sight = see("tenant=acme&report=pipeline")
    read = """() => Object.fromEntries([...document.querySelectorAll('.funnel li')].map((stage) => [stage.dataset.key,
        [Number(stage.querySelector('.deals .number').dataset.value), parseFloat(stage.querySelector(':scope > .chance > :last-child').textContent)]]))"""

    def pair():
        deals = {row["stage"]: row["value"] for row in demo.query("open_deals", by=["stage"], period="this_month")}
        chances = {row["stage"]: row["value"] for row in demo.query("win_probability", by=["stage"])}
        return {stage: [deals.get(stage, 0), round(chance * 100, 1)] for stage, chance in chances.items()}, sight.page.evaluate(read)
    wait_until(lambda: (both := pair())[0] == both[1], lambda: str(pair()), 30, 0.5)  # drawn at most every 3 s
    shown = sight.page.evaluate(read)
    assert len(shown) >= 4
    chances = [chance for _, chance in shown.values()]
    assert chances == sorted(chances)  # from entry to close


def test_the_forecast_by_month_has_commit_and_best_case(see, demo):
    sight = see("tenant=acme&report=forecast")
    months = sight.page.locator("figure.chart", has=sight.page.locator("h2:text-is('Won, commit, forecast and best case')"))
    months.locator("summary").click()
    shown = []
    read = """(figure) => [...figure.querySelectorAll('tbody tr')].map((row) => [...row.querySelectorAll('.number')].map((one) => Number(one.dataset.value)))"""

    def differences():
        answers = [demo.query(metric, by=["month"]) for metric in ("won", "commit", "forecast", "best_case")]
        wanted = {}
        for i, rows in enumerate(answers):
            for row in rows:
                wanted.setdefault(row["month"], [0, 0, 0, 0])[i] = plain(row["value"])
        shown[:] = months.evaluate(read)
        return [(month, wanted) for month in shown if month[:4] not in list(wanted.values())]
    soon_none(differences)
    assert len(shown) >= 3
    assert any(won < commit <= best or won == commit < best for won, commit, _, best in (month[:4] for month in shown))


def test_no_server(see):
    sight = see("tenant=acme&report=service")
    sight.page.route("**/v1/**", lambda route: route.abort())
    sight.page.click("nav a:has-text('Calls')")
    sight.page.wait_for_selector("h1:text-is('No connection')")
    sight.page.unroute("**/v1/**")
    sight.page.click("button:has-text('Try again')")
    sight.page.wait_for_selector("h1:text-is('Calls')")
    assert all("ERR_FAILED" in wrong or "not refreshed" in wrong for wrong in sight.wrong), sight.wrong
    sight.wrong.clear()


def test_another_view_is_not_drawn_with_the_numbers_of_the_last(see):
    """While it is read, things go on happening: here the colours change."""
    sight = see("tenant=acme&report=service")
    page, held = sight.page, []
    page.route("**/v1/tenants/globex/**", lambda route: held.append(route))
    for report in ("conversion", "lost_deals", "goals"):
        with page.expect_request("**/tenants/globex/reports*"):
            page.evaluate("report => { location.hash = 'tenant=globex&report=' + report; }", report)
        page.click("[data-action=theme]")
        assert page.locator("main figure, main table, main .alerts").count() == 0
        page.evaluate("location.hash = 'tenant=acme&report=service'")
        page.wait_for_selector("main figure canvas")
        for route in held:
            route.continue_()
        held.clear()
        page.wait_for_timeout(300)
        assert page.locator("h1").inner_text() == "Service" and page.input_value("[data-input=tenant]") == "acme"


def test_by_keyboard(see):
    sight = see("tenant=acme&report=sales_performance")
    page = sight.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    sight.cell("Total", "won_deals").locator("button").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.closest('td').dataset.key") == "revenue"
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == page.evaluate("document.querySelector('tr.total').rowIndex + 1")
    page.keyboard.press("Enter")
    page.wait_for_selector("#explain .part")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.closest('td').dataset.key") == "revenue"


@pytest.mark.parametrize("period", ["period=nope", "period=custom", "from=2026-02-30&to=2026-03-01", "period=custom&from=2026-03-02&to=2026-03-01"])
def test_a_period_that_is_none_is_the_usual_one(see, period):
    """Its numbers were those of all dates, under the name of another period."""
    sight = see("tenant=acme&report=service&%s" % period)
    assert sight.page.input_value("[data-input=period]") == "this_month"
    assert "all dates" not in sight.page.locator("header.report, main").first.inner_text()


def test_charts_are_in_the_tenants_own_currency(see, demo):
    for currency, amount in (("EUR", 10), ("JPY", 90000), ("USD", 50)):
        demo.send("deal.created", "own-%s" % currency, tenant="own", topic="crm.deals", owner="anna", amount=amount, currency=currency)
        demo.send("deal.won", "own-%s" % currency, tenant="own", topic="crm.deals", owner="anna")
    wait_until(lambda: any(one["tenant"] == "own" for one in demo.get("tenants")["tenants"]), "the tenant is there")
    wait_until(lambda: len(demo.query("revenue", "own")[0]["value"]) == 3, "all is counted")
    sight = see("tenant=own&report=sales_performance")
    assert sight.page.input_value("[data-input=currency]") == "EUR"
    assert see("tenant=own&report=sales_performance&currency=JPY").page.input_value("[data-input=currency]") == "JPY"


def test_long_names_begin_beside_their_bars(see, demo):
    """What does not fit is left out at the end: cut by the canvas, at the beginning, all of them could look alike."""
    names = ["%s is responsible for the accounts of all of the northern and eastern regions" % name for name in ("anna", "ben")]
    for i, owner in enumerate(names):
        demo.send("case.opened", "long-%d" % i, tenant="long", owner=owner)
        demo.send("case.closed", "long-%d" % i, tenant="long", owner=owner)
    wait_until(lambda: any(one["tenant"] == "long" for one in demo.get("tenants")["tenants"]), "the tenant is there")
    wait_until(lambda: demo.query("cases_handled", "long") == [{"value": 2}], "all is counted")
    sight = see("tenant=long&report=service&by=owner")
    axes = sight.page.evaluate("""() => [...document.querySelectorAll('canvas')].map((canvas) => window.Chart.getChart(canvas))
        .filter((chart) => chart.options.indexAxis === 'y').map(({ scales: { y }, ctx }) => {
          ctx.font = `12px ${window.Chart.defaults.font.family}`;
          return { width: y.width, names: y.ticks.map(({ label }) => [label, ctx.measureText(label).width]) };
        })""")
    assert axes
    for axis in axes:
        assert {name.split()[0] for name, _ in axis["names"]} == {"anna", "ben"}
        assert all(name.endswith("…") and width <= axis["width"] for name, width in axis["names"]), axis
