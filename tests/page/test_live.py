"""What a page does by itself: numbers move as events come, whatever they hold."""
import itertools

from demo import wait_until

names = itertools.count(1)


def test_a_number_changes_after_an_event(see, demo):
    owner = "live-%d" % next(names)
    sight = see("tenant=acme&report=service&period=today&by=owner")
    page = sight.page
    page.wait_for_selector(".pill.live")
    demo.send("case.opened", "%s-1" % owner, owner=owner)
    page.wait_for_selector("table.report th:has-text('%s')" % owner, timeout=10000)
    assert sight.table()[owner]["cases_opened"] == 1
    number = sight.cell(owner, "cases_opened").locator(".number")
    page.evaluate("""() => { window.marked = new Set(); new MutationObserver((all) => all.forEach(({ target }) =>
        target.dataset.changed && window.marked.add(`${target.closest('tr, li').querySelector('th, h3').textContent} ${target.dataset.changed}`)))
        .observe(document.querySelector('main'), { subtree: true, attributes: true, attributeFilter: ['data-changed'] }); }""")
    demo.send("case.opened", "%s-2" % owner, owner=owner)
    wait_until(lambda: number.inner_text() == "2", number.inner_text, 10)
    wait_until(lambda: "%s up" % owner in page.evaluate("[...window.marked]"), lambda: page.evaluate("[...window.marked]"), 5)
    wait_until(lambda: number.get_attribute("data-changed") is None, "the mark is gone", 5)
    demo.send("case.deleted", "%s-2" % owner)
    wait_until(lambda: number.inner_text() == "1", number.inner_text, 10)
    wait_until(lambda: "%s down" % owner in page.evaluate("[...window.marked]"), lambda: page.evaluate("[...window.marked]"), 5)


def test_what_is_open_stays_open(see, demo):
    owner = "live-%d" % next(names)
    sight = see("tenant=acme&report=service&period=today&by=owner")
    sight.page.locator("figure summary").first.click()
    sight.page.select_option("[data-input=compare]", "previous")
    sight.cell("Total", "cases_opened").locator("button").focus()
    demo.send("case.opened", owner, owner=owner)
    sight.page.wait_for_selector("table.report th:has-text('%s')" % owner, timeout=10000)
    sight.page.wait_for_timeout(3000)
    assert sight.page.locator("figure details[open]").count() == 1
    assert sight.page.evaluate("document.activeElement.closest('td')?.dataset.key") == "cases_opened"


def test_ids_are_text(see, demo):
    owner = "<img src=x onerror=alert(1)>\"'&%d" % next(names)
    sight = see("tenant=acme&report=service&period=today&by=owner")
    alarms = []
    sight.page.on("dialog", lambda dialog: (alarms.append(dialog.message), dialog.dismiss()))
    demo.send("case.opened", "escaped-%d" % next(names), owner=owner)
    wait_until(lambda: owner in sight.table(), sight.table, 10, 0.2)
    assert sight.page.locator("main img").count() == 0
    sight.page.locator("button.member", has_text="<img src=x").first.click()
    sight.drawn()
    assert sight.table()[owner]["cases_opened"] == 1
    assert not alarms


def test_a_lost_connection_is_shown_and_made_again(see):
    sight = see("tenant=acme&report=service&period=today&by=owner")
    sight.page.route("**/updates", lambda route: route.abort())
    sight.page.reload()
    sight.page.wait_for_selector(".pill.lost")
    sight.page.unroute("**/updates")
    sight.page.wait_for_selector(".pill.live", timeout=15000)
    assert sight.wrong and all("ERR_FAILED" in wrong for wrong in sight.wrong), sight.wrong
    sight.wrong.clear()


def test_a_view_that_could_not_be_read_is_read_when_the_server_is_back(see):
    """Chosen while it was away: the page is live again, and nobody has to ask for the numbers."""
    sight = see("tenant=acme&report=service")
    sight.page.route("**/updates", lambda route: route.abort())
    sight.page.reload()
    sight.page.wait_for_selector(".pill.lost")
    sight.page.route("**/v1/**", lambda route: route.abort())
    sight.page.click("nav a:has-text('Calls')")
    sight.page.wait_for_selector("h1:text-is('No connection')")
    sight.page.select_option("[data-input=tenant]", "globex")
    sight.page.wait_for_function("location.hash.includes('globex') && document.querySelector('main h1')?.textContent === 'No connection'")
    sight.page.unroute("**/v1/**")
    sight.page.unroute("**/updates")
    sight.page.wait_for_selector("h1:text-is('Calls')", timeout=15000)
    sight.drawn()
    assert sight.page.input_value("[data-input=tenant]") == "globex" and sight.page.locator("table.report tbody tr").count() > 1
    sight.page.wait_for_selector(".pill.live", timeout=15000)
    assert sight.wrong and all("ERR_FAILED" in wrong for wrong in sight.wrong), sight.wrong
    sight.wrong.clear()


def test_alerts_are_shown(see, demo):
    sight = see("tenant=acme&report=service")
    raised = demo.get("tenants/acme/alerts")["alerts"]
    shown = sight.page.locator(".alerts li")
    wait_until(lambda: shown.count() == len(demo.get("tenants/acme/alerts")["alerts"]), shown.all_inner_texts, 10)
    for alert in raised:
        assert any(alert["rule"].replace("_", " ") in text.lower() for text in shown.all_inner_texts()), alert
