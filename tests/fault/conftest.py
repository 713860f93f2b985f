"""The integration tests' fixtures, for the fault bench; three brokers; what was run, at the end."""
import importlib.util
import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")  # brokers that live for minutes: half the processor time
INTEGRATION = Path(__file__).resolve().parent.parent / "integration"
sys.path[:0] = [str(INTEGRATION)]
spec = importlib.util.spec_from_file_location("integration_fixtures", INTEGRATION / "conftest.py")
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)
globals().update({name: value for name, value in vars(fixtures).items() if not name.startswith("__")})

from brokers import Brokers  # noqa: E402 found by the path above


@pytest.fixture
def three_brokers(kafka, tmp_path):
    """Beside the one, whose class path they share; for one run, since three that wait for the next cost more than a start."""
    (tmp_path / "brokers").mkdir()
    brokers = Brokers(tmp_path / "brokers")
    try:
        yield brokers.start()
    finally:
        brokers.kill()


def pytest_runtest_logreport(report):
    """What went wrong is said at once: the rest of the runs may take an hour."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if report.failed and crash:
        print("\n%s: %s" % (report.nodeid.split("::")[-1], crash.message[:600]), flush=True)


def pytest_terminal_summary(terminalreporter):
    """A line per fault run: seed, result, seconds, servers and faults."""
    ended = [report for how in ("passed", "failed", "skipped") for report in terminalreporter.getreports(how) if dict(report.user_properties).get("faults")]
    if not ended:
        return
    terminalreporter.section("fault runs")
    for report in sorted(ended, key=lambda each: dict(each.user_properties)["seed"]):
        about = dict(report.user_properties)
        terminalreporter.write_line("%d %s %.0f s, %s: %s" % (about["seed"], report.outcome, report.duration, about["servers"], ", ".join(about["faults"])))
    good = sum(report.passed for report in ended)
    terminalreporter.write_line("%d runs, %d faults: %d without a difference" % (len(ended), sum(len(dict(each.user_properties)["faults"]) for each in ended), good))
