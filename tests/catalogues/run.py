#!/usr/bin/env python3
"""Catalogue files as a user may write them. wrong/NAME.json: `check` must say just what stands in wrong/NAME.txt, a line for each
mistake; right/NAME.json: it must find nothing. The tenants and their custom attributes are in settings.json."""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
AT_LEAST = 40


def problems_of(binary, file):
    """What check says of the file, and its exit code."""
    settings = json.loads((HERE / "settings.json").read_text(encoding="utf-8"))
    settings["catalogue"] = [str(file)]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        json.dump(settings, config)
        config.flush()
        done = subprocess.run([binary, "check", "--offline", "-c", config.name], capture_output=True, text=True, env={})
    lines = [line.split(None, 1)[1].replace(f"{file.parent}/", "") for line in done.stdout.splitlines() if line.startswith("problem ")]
    return lines, done.returncode


def failure(binary, file):
    """None, or what is not as it should be."""
    found, code = problems_of(binary, file)
    wrong = file.parent.name == "wrong"
    expected = file.with_suffix(".txt").read_text(encoding="utf-8").splitlines() if wrong else []
    if wrong and not expected:
        return "nothing is expected"
    if found == expected and code == (2 if wrong else 0):
        return None
    return "\n".join([f"exit code {code}", *("  expected " + line for line in expected), *("  said     " + line for line in found)])


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--bin", required=True)
    arguments.add_argument("--filter", default="")
    options = arguments.parse_args()
    files = sorted(file for file in HERE.glob("*/*.json") if options.filter in file.stem)
    failed = 0
    for file in files:
        why = failure(options.bin, file)
        failed += why is not None
        if why:
            print(f"FAILED {file.parent.name}/{file.stem}: {why}")
    wrong = [file for file in files if file.parent.name == "wrong"]
    if not options.filter and len(wrong) < AT_LEAST:
        print(f"only {len(wrong)} wrong catalogues, expected {AT_LEAST}")
        failed += 1
    print(f"catalogues: {len(files) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
