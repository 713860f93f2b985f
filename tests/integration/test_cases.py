"""The stories with known answers: our own, and the shared conformance cases where they are present."""
import subprocess
import sys

import pytest
from servers import TESTS

SHARED = TESTS.parent.parent / "shared" / "cases"


def run(runner, binary, folder):
    done = subprocess.run([sys.executable, runner, "--bin", binary, folder], capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_our_own_cases(binary):
    run(TESTS / "cases" / "run.py", binary, TESTS / "cases")


@pytest.mark.skipif(not SHARED.exists(), reason="not applicable: no ../shared/cases")
def test_shared_cases(binary):
    run(SHARED / "run.py", binary, SHARED)
