"""Fixtures: one demo and one browser for all tests; per test a page that must not err."""
import os
from pathlib import Path

import pytest
from demo import Demo
from playwright.sync_api import sync_playwright
from sight import CHROMIUM, FLAGS, Sight


def pytest_addoption(parser):
    parser.addoption("--bin", default=os.environ.get("CRM_REPORTD", "build-tests/release/crm-reportd"), help="the daemon to test")
    parser.addoption("--pictures", default="build-tests/page", help="where screenshots are kept")


@pytest.fixture(scope="session")
def demo(request):
    path = Path(request.config.getoption("--bin")).resolve()
    assert path.exists(), "no daemon at %s (build it, or --bin PATH)" % path
    started = Demo(path)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def browser():
    assert Path(CHROMIUM).exists(), "no %s: apt-get install chromium" % CHROMIUM
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def pictures(request):
    folder = Path(request.config.getoption("--pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def see(browser, demo):
    """Opens pages: see("tenant=acme&report=service", scheme="dark", size=PHONE, axe=True). Each must end without an error."""
    opened = []

    def look(view, **how):
        opened.append(Sight(browser, demo.address, **how))
        return opened[-1].open(view)
    yield look
    for each in opened:
        each.close()
