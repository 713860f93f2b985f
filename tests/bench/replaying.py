"""Folding a file in memory: what `replay` costs, and whether it stays within the memory that config/README.md promises."""
import os
import subprocess
import time

BOUND_MIB = 1024  # for a million events of all kinds


def run(binary, lines, settings, as_of):
    """One run; a row for the table."""
    began = time.monotonic()
    process = subprocess.Popen([binary, "replay", "-c", settings, "--as-of", as_of, "--query", "-", lines], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, use = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, "replay ended with %d" % process.returncode
    row = {"wall": time.monotonic() - began, "cpu": use.ru_utime + use.ru_stime, "rss_mib": use.ru_maxrss / 1024}
    assert row["rss_mib"] <= BOUND_MIB, "%d MiB are more than the %d promised" % (row["rss_mib"], BOUND_MIB)
    return row
