"""crm-reportd demo: reports appear and change, keys work, and nothing is left behind, however it ends."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from servers import wait_until

TENANTS = ("acme", "globex", "initech")


def processes_with(text):
    """Ids of the processes whose command line holds it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if text in (entry / "cmdline").read_bytes().decode(errors="replace"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.fixture
def nothing_left():
    """A folder for temporary files; after the test there is no process and no file of it. A short name: sockets need that."""
    folder = Path(tempfile.mkdtemp(prefix="demo-"))
    yield folder
    wait_until(lambda: not processes_with(str(folder)), lambda: "no process left: %s" % processes_with(str(folder)), timeout=10)
    left = list(folder.iterdir())
    shutil.rmtree(folder)
    assert left == []


def environment(folder):
    return os.environ | {"TMPDIR": str(folder)}


def run(binary, folder, *options, timeout=120):
    return subprocess.run([str(binary), "demo", *options], env=environment(folder), capture_output=True, text=True, timeout=timeout, check=False)


@pytest.fixture
def start(binary, nothing_left, tmp_path):
    """Starts a demo whose output goes to a file; returns (process, function that waits for words in the output)."""
    started = []

    def begin(*options):
        path = tmp_path / "output"
        with open(path, "wb") as output:
            process = subprocess.Popen([str(binary), "demo", *options], env=environment(nothing_left), stdout=output, stderr=output)
        started.append(process)

        def output(words=""):
            """All of it, once the words are there; while they are not, the demo has to run."""
            wait_until(lambda: words in path.read_text(errors="replace") or process.poll() is not None, lambda: path.read_text(errors="replace"))
            text = path.read_text(errors="replace")
            assert words in text, "it ended with %s:\n%s" % (process.poll(), text)
            return text
        return process, output
    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def reports_of(text):
    """(tenant, report) -> lines of the table."""
    blocks = re.split(r"\n(?=(?:%s) \w+: )" % "|".join(TENANTS), "\n" + text)
    found = {}
    for block in blocks[1:]:
        head, *lines = block.rstrip("\n").split("\n")
        found[tuple(head.split(":")[0].split())] = lines
    return found


def test_once_prints_the_reports_of_the_history(binary, nothing_left):
    done = run(binary, nothing_left, "--once")
    assert (done.returncode, done.stderr) == (0, "")
    reports = reports_of(done.stdout)
    assert {tenant for tenant, _ in reports} == set(TENANTS)
    assert {"service", "sales_activity", "conversion", "sales_performance"} <= {report for _, report in reports}
    for tenant in TENANTS:
        rows = {line.split()[0] for line in reports[tenant, "conversion"]}
        assert {"total", "before", "web", "fair", "referral", "partner", "cold_call"} <= rows
        before = next(line for line in reports[tenant, "sales_performance"] if line.startswith(" before"))
        assert int(before.split()[1]) > 10, "last month's won deals: " + before


def numbers(line):
    return [int(n) for n in re.findall(r"-?\d+", line)]


def test_reports_change_while_events_come(binary, nothing_left):
    began = time.monotonic()
    done = run(binary, nothing_left, "--seconds", "15", "--plain")
    assert (done.returncode, done.stderr) == (0, "")
    assert 14 < time.monotonic() - began < 40
    lines = done.stdout.splitlines()
    counts = [int(found[1]) for found in re.finditer(r"(\d+) events counted", done.stdout)]
    versions = [int(found[1]) for found in re.finditer(r"(\d+) report versions", done.stdout)]
    assert counts == sorted(counts) and counts[0] > 5000 and counts[-1] > counts[0] + 50
    assert versions == sorted(versions) and versions[-1] > versions[0] + 20
    for tenant in TENANTS:
        assert any(" %s " % tenant in line and " → " in line for line in lines), tenant
    late = [line for line in lines if re.search(r"late: case .* yesterday (–|\d+) → \d+$", line)]
    assert late, done.stdout
    before, after = re.search(r"yesterday (–|\d+) → (\d+)$", late[0]).groups()
    assert int(after) == int(before.replace("–", "0")) + 1
    repeated = [line for line in lines if " repeated: " in line]
    assert all("stays" in line for line in repeated), repeated


def test_another_seed_is_another_history(binary, nothing_left):
    one, other = (reports_of(run(binary, nothing_left, "--once", "--seed", seed).stdout)["acme", "conversion"] for seed in "12")
    assert one != other


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it(start, number):
    process, output = start("--plain")
    output("events counted")
    process.send_signal(number)
    assert process.wait(10) == 0


def test_a_signal_before_it_has_begun_ends_it(start):
    process, output = start("--plain")
    output("redis-cli")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert "events counted" not in output()


def test_redis_does_not_outlive_a_demo_that_is_killed(start, nothing_left):
    process, output = start("--plain")
    output("events counted")
    assert len(processes_with(str(nothing_left))) == 1
    process.kill()
    wait_until(lambda: not processes_with(str(nothing_left)), "no redis-server", timeout=10)
    shutil.rmtree(next(nothing_left.iterdir()))


def test_a_redis_that_ends_is_told(start, nothing_left):
    process, output = start("--plain")
    output("events counted")
    for redis in processes_with(str(nothing_left)):
        os.kill(redis, signal.SIGKILL)
    assert process.wait(20) == 1
    assert re.search(r"crm-reportd demo: .*[Rr]edis", output())


def test_kept_redis_answers_queries(binary, nothing_left):
    done = run(binary, nothing_left, "--seconds", "8", "--plain", "--keep")
    assert done.returncode == 0, done.stderr
    pid = int(re.search(r"as process (\d+)", done.stdout)[1])
    try:
        folder = next(nothing_left.iterdir())
        request = '{"tenant":"acme","metric":"revenue","period":"last_month","by":["owner"]}'
        asked = subprocess.run([str(binary), "query", "-c", str(folder / "settings.json"), request], capture_output=True, text=True, check=True)
        rows = json.loads(asked.stdout)["rows"]
        assert {row["owner"] for row in rows} == {"anna", "ben", "carla", "deniz", "emil"}
        assert all(row["value"]["EUR"] > 0 for row in rows)
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not processes_with(str(nothing_left)), "redis-server ends", timeout=10)
    shutil.rmtree(folder)


def test_without_redis_server_it_says_so(binary, nothing_left):
    done = subprocess.run([str(binary), "demo", "--once"], env=environment(nothing_left) | {"PATH": str(nothing_left)}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "redis-server is not installed" in done.stderr


@pytest.mark.parametrize("options, words", [
    (["--seconds", "0"], "--seconds takes a whole number 1"),
    (["--rate", "fast"], '--rate takes a whole number 1…20000, not "fast"'),
    (["--rate"], "--rate needs a value"),
    (["--speed", "3"], "unknown option --speed"),
    (["now"], 'unexpected "now"'),
])
def test_wrong_usage(binary, nothing_left, options, words):
    done = run(binary, nothing_left, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


class Terminal:
    """A terminal of that size, in which a command runs; screens and keys as a user has them."""

    def __init__(self, folder, columns, rows, command):
        self.socket = str(folder / "tmux")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-s", "t", "-x", str(columns), "-y", str(rows), command)

    def tmux(self, *words):
        return subprocess.run(["tmux", "-S", self.socket, *words], capture_output=True, text=True, check=True, timeout=20).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p", "-t", "t")

    def press(self, *keys):
        self.tmux("send-keys", "-t", "t", *keys)

    def wait(self, pattern):
        wait_until(lambda: re.search(pattern, self.screen(), re.M), lambda: "%s on\n%s" % (pattern, self.screen()), timeout=30, every=0.1)

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True, check=False)


@pytest.fixture
def terminal(binary, nothing_left, tmp_path):
    assert shutil.which("tmux"), "tmux has to be installed for this test"
    opened = []

    def open_one(columns, rows, options=""):
        command = "export LC_ALL=C.UTF-8 TMPDIR=%s; %s demo %s; echo ended with $?; stty -a; sleep 60" % (nothing_left, binary, options)
        opened.append(Terminal(tmp_path, columns, rows, command))
        return opened[-1]
    yield open_one
    for each in opened:
        each.close()


def test_the_page(terminal):
    page = terminal(140, 40)
    page.wait(r"events counted, \d+/s, lag \d+")
    page.wait(r"cases closed same day +calls per opportunity +conversion rate of leads")
    for tenant in TENANTS:
        page.wait(r"^ %s +\d\d:\d\d +\d+ +\d+ +\d+ +\d+\.\d\d " % tenant)
    page.wait(r"^ acme: do we help fast\?  by owner, this_month")
    page.wait(r"^ \d\d:\d\d:\d\d \w+ +(late|repeated|reopened|out of order|moved|merged) .*(→|stays)")
    page.press("Tab")
    page.wait(r"^ globex: do we help fast\?")
    page.press(re.search(r"\b(\d) conversion\b", page.screen())[1])
    page.wait(r"^ globex: which source becomes customers\?  by source, this_month")
    page.wait(r"^ cold_call +\d+ +\d+ +\d+\.\d %")
    page.press("g", "p")
    page.wait(r"^ globex: .*by campaign, last_month")
    page.press("h")
    page.wait(r"^   redis-cli -s \S+/redis.sock get ")
    page.press("q")
    page.wait(r"^ended with 0")
    page.wait(r" icanon .*")
    assert re.search(r"(^| )echo ", page.screen(), re.M), "the terminal echoes again"


def test_the_page_follows_the_window(terminal):
    page = terminal(140, 40)
    page.wait(r"^ acme: do we help fast\?.*version \d+ of")
    page.tmux("resize-window", "-t", "t", "-x", "80", "-y", "24")
    page.wait(r"h inside  q quit")
    page.tmux("resize-window", "-t", "t", "-x", "50", "-y", "10")
    page.wait(r"This needs a window of")
    page.tmux("resize-window", "-t", "t", "-x", "140", "-y", "40")
    page.wait(r"^ acme: do we help fast\?.*version \d+ of")
    page.press("C-c")
    page.wait(r"^ended with 0")


def test_the_page_ends_by_itself(terminal):
    page = terminal(100, 30, "--seconds 7")
    page.wait(r"events counted, \d+/s")
    page.wait(r"^ended with 0")
