"""A browser that watches: what a page said on its console, which requests failed, what it looks like, whom it excludes."""
from pathlib import Path

import axe_playwright_python

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


class Sight:
    """A page of the dashboard. `wrong` collects what must not happen; `hosts` who was asked."""

    def __init__(self, browser, address, scheme="light", size=None, axe=False):
        size = size or DESK
        self.address, self.wrong, self.asked = address, [], []
        # axe is put into the page as a script: the page's own policy has to be put aside for that
        self.context = browser.new_context(viewport=size, color_scheme=scheme, locale="en-GB", timezone_id="Europe/Berlin", bypass_csp=axe,
                                           device_scale_factor=2 if size is PHONE else 1, has_touch=size is PHONE)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: message.type in ("error", "warning") and self.wrong.append("console: " + message.text))
        self.page.on("pageerror", lambda error: self.wrong.append("script: %s" % error))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("requestfailed", lambda request: self.failed(request))
        self.page.on("response", lambda response: response.status >= 400 and self.wrong.append("%d %s" % (response.status, response.url)))

    def failed(self, request):
        if request.failure != "net::ERR_ABORTED":  # the page changed its mind, or a stream was closed
            self.wrong.append("%s: %s" % (request.failure, request.url))

    def open(self, view):
        """Shows a view ("tenant=acme&report=service"), all of it drawn."""
        self.page.goto("%s/#%s" % (self.address, view))
        return self.drawn()

    def drawn(self):
        self.page.wait_for_selector("main[aria-busy=false]")
        self.page.wait_for_selector("main .loading", state="detached")
        self.page.wait_for_timeout(100)
        return self

    def table(self):
        """{row's first cell: {column: number or text}} of the report's table; money in its first currency."""
        return self.page.evaluate("""() => Object.fromEntries([...document.querySelectorAll('table.report tbody tr')].map((row) => [
            row.querySelector('th').textContent,
            Object.fromEntries([...row.querySelectorAll('td')].map((cell) => {
              const { value } = cell.querySelector('.number').dataset;
              return [cell.dataset.key, value === '' ? null : Number(value)];
            }))]))""")

    def choose(self, field, value):
        self.page.select_option("[data-input=%s]" % field, value)
        return self.drawn()

    def cell(self, row, column):
        return self.page.locator("table.report tbody tr", has=self.page.locator("th", has_text=row)).first.locator("td[data-key='%s']" % column)

    def excluded(self):
        """Violations that axe finds, as text; [] is what a page wants."""
        if not self.page.evaluate("typeof window.axe === 'object'"):
            self.page.evaluate(AXE)
        found = self.page.evaluate("async () => (await window.axe.run()).violations")
        return ["%s: %s" % (one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in found]

    def picture(self, path, whole=True):
        self.page.wait_for_timeout(900)  # drawings have come to rest
        self.page.screenshot(path=str(path), full_page=whole)

    def close(self):
        self.context.close()
        assert not self.wrong, "\n".join(self.wrong)
        others = [url for url in self.asked if not url.startswith((self.address + "/", "blob:" + self.address))]
        assert not others, "asked of other hosts: %s" % others
