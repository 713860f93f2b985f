"""Every example of the README that is marked as runnable (```sh test) prints what the ```text after it says."""
import os
import re
import shutil
import subprocess

import pytest
from servers import TESTS

README = TESTS.parent / "README.md"
EXAMPLE = re.compile(r"^```sh test( servers)?\n(.*?)^```\n(?:\s*^```text\n(.*?)^```\n)?", re.M | re.S)


def examples():
    text = README.read_text(encoding="utf-8") if README.exists() else ""
    for n, found in enumerate(EXAMPLE.finditer(text), 1):
        line = text[:found.start()].count("\n") + 1
        yield pytest.param(found[1] is not None, found[2], found[3], id="example-%d-line-%d" % (n, line))


def pattern(expected):
    """`…` stands for anything within its line, a line of `…` alone for any lines."""
    lines = []
    for line in expected.rstrip("\n").split("\n"):
        lines.append(r"(?:.*\n)*?" if line.strip() == "…" else r".*?".join(map(re.escape, line.rstrip().split("…"))) + r"[ \t]*\n")
    return "".join(lines) + r"\s*"


@pytest.mark.parametrize("servers, script, expected", list(examples()))
def test_example(servers, script, expected, binary, tmp_path, request):
    tree = tmp_path / "tree"
    shutil.copytree(TESTS.parent, tree, ignore=shutil.ignore_patterns(".git", "build*", "__pycache__"))
    env = os.environ | {"PATH": "%s:%s" % (binary.parent, os.environ["PATH"])}
    if servers:
        kafka, redis = request.getfixturevalue("own_kafka"), request.getfixturevalue("redis_server")()
        env |= {"KAFKA": kafka.address, "REDIS": redis.url}
    done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", script], cwd=tree, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, "exit status %d\n%s%s" % (done.returncode, done.stdout, done.stderr)
    if expected is not None:
        assert re.fullmatch(pattern(expected), done.stdout if done.stdout.endswith("\n") else done.stdout + "\n"), done.stdout


def test_the_readme_has_examples():
    assert README.exists(), "no README.md"
    assert list(examples()), "no ```sh test in README.md"
