"""What it looks like: light, dark, on a phone; the pictures are kept for people to look at."""
import pytest
from sight import PHONE

VIEWS = {
    "pipeline": "tenant=acme&report=pipeline",
    "conversion": "tenant=acme&report=conversion",
    "sales": "tenant=globex&report=sales_performance",
    "forecast": "tenant=acme&report=forecast",
    "service": "tenant=initech&report=service",
    "lost": "tenant=acme&report=lost_deals&period=last_month",
    "audit": "tenant=acme&report=audit",
}


@pytest.mark.parametrize("name", VIEWS)
def test_light(see, pictures, name):
    see(VIEWS[name]).picture(pictures / (name + "-light.png"))


def test_the_picture_of_the_readme(browser, demo, see, pictures):
    """A number has just moved in it."""
    sight = see("tenant=acme&report=service", size={"width": 1360, "height": 1160})
    demo.send("case.opened", "picture", owner="hanna", priority="high", channel="phone")
    sight.page.wait_for_selector(".card [data-changed]", timeout=15000)
    sight.page.screenshot(path=str(pictures / "dashboard.png"))


@pytest.mark.parametrize("name", ["pipeline", "conversion", "service"])
def test_dark(see, pictures, name):
    sight = see(VIEWS[name], scheme="dark", axe=True)
    background = sight.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert sum(int(part) for part in background[4:-1].split(",")) < 120, background
    sight.picture(pictures / (name + "-dark.png"))
    assert sight.excluded() == []


@pytest.mark.parametrize("name", ["pipeline", "sales", "audit"])
def test_phone(see, pictures, name):
    sight = see(VIEWS[name], size=PHONE, axe=True)
    assert sight.page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
    assert not sight.page.locator("nav section").first.is_visible() and sight.page.locator("nav select").is_visible()
    sight.picture(pictures / (name + "-phone.png"))
    assert sight.excluded() == []


def test_the_switch_goes_over_what_the_system_says(see, pictures):
    sight = see(VIEWS["sales"])
    background = "getComputedStyle(document.documentElement).backgroundColor"
    light = sight.page.evaluate(background)
    sight.page.click("[data-action=theme]")
    assert sight.page.evaluate(background) == light
    sight.page.click("[data-action=theme]")
    dark = sight.page.evaluate(background)
    assert dark != light
    sight.page.reload()
    sight.drawn()
    assert sight.page.evaluate(background) == dark
    sight.picture(pictures / "sales-dark.png")


def test_dialogs(see, pictures):
    sight = see(VIEWS["conversion"], axe=True)
    sight.cell("web", "conversion_rate").locator("button").click()
    sight.page.wait_for_selector("#explain .part")
    sight.picture(pictures / "explain.png", whole=False)
    assert sight.excluded() == []
    sight.page.keyboard.press("Escape")
    sight.page.click("button:text-is('Filter')")
    sight.page.wait_for_selector("#filter .choices")
    sight.picture(pictures / "filter.png", whole=False)
    assert sight.excluded() == []
