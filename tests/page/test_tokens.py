"""A server with tokens: the page asks for one, shows what it opens, and nothing of it is seen elsewhere."""
import csv
import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from demo import wait_until
from guarded import ACME, ALL, GLOBEX, Guarded
from sight import PHONE, Sight

VIEW = "tenant=acme&report=service&period=today&by=owner"


@pytest.fixture(scope="module")
def guarded(request, demo, tmp_path_factory):
    started = Guarded(Path(request.config.getoption("--bin")).resolve(), demo, tmp_path_factory.mktemp("guarded"))
    wait_until(lambda: started.process.poll() is None and ask(started, "tenants/acme/reports/service", ALL, missing=True), started.said, 60)
    yield started
    started.stop()
    for token in (ALL, ACME, GLOBEX):
        assert token not in started.said()


def ask(guarded, path, token, body=None, missing=False):
    request = urllib.request.Request("%s/v1/%s" % (guarded.address, path), body and json.dumps(body).encode(), {"Authorization": "Bearer " + token})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError:
        assert missing, path
        return None


def refused(sight):
    """Takes out what a browser says of an answer 401 or 403 by itself."""
    found = [wrong for wrong in sight.wrong if wrong.startswith(("401 ", "403 ")) or "status of 401" in wrong or "status of 403" in wrong]
    sight.wrong[:] = [wrong for wrong in sight.wrong if wrong not in found]
    return found


@pytest.fixture
def visit(browser, guarded):
    opened = []

    def look(view, **how):
        sight = Sight(browser, guarded.address, **how)
        opened.append(sight)
        sight.page.goto("%s/#%s" % (guarded.address, view))
        sight.page.wait_for_selector(".token")
        return sight
    yield look
    for each in opened:
        refused(each)
        assert not any(token in url for url in each.asked for token in (ALL, ACME, GLOBEX)), each.asked
        each.close()


def enter(sight, token, remember=False):
    sight.page.fill("[name=token]", token)
    if remember:
        sight.page.check("[name=remember]")
    sight.page.keyboard.press("Enter")


def test_it_asks_kindly_and_says_what_is_wrong(visit, pictures):
    sight = visit(VIEW, axe=True)
    page = sight.page
    assert page.locator("h1").inner_text() == "Your token, please" and page.locator("nav a").count() == 0
    assert page.locator("[name=token]").get_attribute("type") == "password"
    assert sight.excluded() == []
    sight.picture(pictures / "token-light.png")
    enter(sight, "no-such-token-0123456789")
    page.wait_for_selector("#token-said[role=alert]")
    assert "opens nothing" in page.locator("#token-said").inner_text() and page.locator("[name=token]").get_attribute("aria-invalid") == "true"
    enter(sight, "two words")
    assert page.evaluate("document.querySelector('[name=token]').validationMessage").startswith("A token has no spaces")
    enter(sight, ACME)
    page.wait_for_selector("h1:text-is('Service')")
    assert page.url.endswith("#" + VIEW)


def test_only_its_tenant_is_there(visit, guarded):
    sight = visit("")
    enter(sight, ACME)
    sight.page.wait_for_selector("table.report")
    assert sight.page.locator("[data-input=tenant] option").all_inner_texts() == ["acme"]
    refused(sight)
    sight.page.goto("%s/#tenant=globex&report=service" % guarded.address)
    sight.page.wait_for_selector(".problem")
    assert "This token is for tenant acme only." in sight.page.locator(".problem").inner_text()
    sight.page.click("button:text-is('Use another token')")
    sight.page.wait_for_selector(".token")
    enter(sight, GLOBEX)
    sight.page.wait_for_selector("table.report")
    assert sight.page.locator("[data-input=tenant] option").all_inner_texts() == ["globex"]


def test_explain_file_and_updates_come_with_it(visit, guarded, demo):
    sight = visit(VIEW)
    page = sight.page
    enter(sight, ACME)
    page.wait_for_selector(".pill.live")
    demo.send("case.opened", "token-1", owner="tok")
    page.wait_for_selector("table.report th:has-text('tok')", timeout=15000)
    demo.send("case.opened", "token-2", owner="tok")
    number = sight.cell("tok", "cases_opened").locator(".number")
    wait_until(lambda: number.inner_text() == "2", number.inner_text, 15)
    sight.drawn().cell("tok", "cases_opened").locator("button").click()
    page.wait_for_selector("#explain tbody code:has-text('token-2')")
    page.keyboard.press("Escape")
    with page.expect_download() as download:
        page.click("button:has-text('Download CSV')")
    rows = {row["owner"]: row for row in csv.DictReader(download.value.path().read_text().splitlines())}
    answer = ask(guarded, "tenants/acme/query", ACME, {"metric": "cases_opened", "period": "today", "where": {"owner": ["tok"]}})
    assert int(rows["tok"]["cases_opened"]) == 2 == answer["rows"][0]["value"]


def test_it_is_remembered_only_where_that_is_wanted(visit, browser, guarded):
    for remember in (False, True):
        sight = visit(VIEW)
        enter(sight, ACME, remember)
        sight.page.wait_for_selector("table.report")
        sight.page.reload()
        sight.page.wait_for_selector("table.report")
        second = sight.context.new_page()
        second.goto("%s/#%s" % (guarded.address, VIEW))
        second.wait_for_selector("table.report" if remember else ".token")
        second.close()
        sight.page.click("button:text-is('Forget token')")
        sight.page.wait_for_selector(".token")
        assert sight.page.evaluate("[...Object.values(localStorage), ...Object.values(sessionStorage)]") == []


def test_a_token_that_is_replaced_while_the_page_is_open(visit, guarded):
    sight, stays = visit(VIEW), visit("tenant=globex&report=service")
    enter(sight, ACME)
    enter(stays, GLOBEX)
    for each in (sight, stays):
        each.page.wait_for_selector(".pill.live")
    streams = len([url for url in stays.asked if url.endswith("/updates")])
    other = "acme-anew-0123456789"
    try:
        guarded.tokens(ALL, other + " acme", GLOBEX + " globex")
        sight.page.wait_for_selector(".token", timeout=15000)
        assert "replaced" in sight.page.locator("#token-said").inner_text()
        enter(sight, other)
        sight.page.wait_for_selector("h1:text-is('Service')")
        sight.page.wait_for_selector(".pill.live")
        assert stays.page.locator(".pill.live").count() == 1
        assert len([url for url in stays.asked if url.endswith("/updates")]) == streams  # it was never cut off
    finally:
        guarded.tokens(ALL, ACME + " acme", GLOBEX + " globex")


def test_on_a_phone(visit, pictures):
    sight = visit(VIEW, size=PHONE, scheme="dark", axe=True)
    assert sight.page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"] and sight.excluded() == []
    sight.picture(pictures / "token-phone.png")
