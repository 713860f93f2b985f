"""Can the fault bench fail? Takes one thing after the other away of what makes the daemon exact, and looks whether faults of the
bench, in an order that shows it, end with a difference; the daemon as it is must pass each of these orders.

    mutations.py --build FOLDER [--only WORD] [--runs N]
"""
import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "sim")]
from mutants import MUTATIONS, take_away  # noqa: E402 found by the path above

# what is taken away, by files and texts (None: as in the simulation), and the faults that show it
ORDERS = [
    ("the version comparison", [("daemon/state/commit.lua", "if found ~= expected then return {0, found} end", ""),
                                ("daemon/state/transaction.c", "found != commit->version ? CONFLICT : DONE", "DONE")],
     "an_instance_joins partitions_added partitions_added sigstop_beyond_the_session"),
    ("the position check", None, "kill_9 sigstop_beyond_the_session kill_9 kill_9"),
    ("the cache drop after a commit that did not take place", None, "redis_out_of_memory redis_read_only redis_wants_replicas"),
    ("the cache drop when Redis is another or was set back", None, "redis_backup_taken all_events_come redis_set_back_to_the_backup"),
    ("the trailing of marks behind commits", None, "kill_9 redis_out_of_memory kill_9 kill_9"),
    ("the trailing of offsets behind marks", None, "connections_cut kill_9"),
]


def bench(program, order, runs):
    """(seeds with a difference, what the first says)"""
    how = {"FAULT_PLAN": order, "FAULT_SEED": "1", "FAULT_RUNS": str(runs), "FAULT_REDIS": "single", "FAULT_BROKERS": "1"}
    done = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", HERE / "test_fault_runs.py", "--bin", program, "-n", str(min(runs, 3)),
                           "-q", "--tb=short"], env=os.environ | how, capture_output=True, text=True, timeout=1800, check=False)
    seeds = re.findall(r"^(\d+) failed .*(?:broker|brokers), ", done.stdout, re.M)
    said = re.findall(r"^E +(?:AssertionError: )?(.*)", done.stdout, re.M)
    assert done.returncode == (1 if seeds else 0), done.stdout[-3000:] + done.stderr[-3000:]
    return seeds, said[0][:150] if said else ""


def patch_of(what):
    return next((name, text, instead) for known, name, text, instead in MUTATIONS if known == what)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", type=Path, required=True, help="where builds are (tests/run.sh makes one)")
    options.add_argument("--only", default="", help="mutations with this word")
    options.add_argument("--runs", type=int, default=3, help="of each order")
    args = options.parse_args()
    wrong = 0
    for what, patch, order in ORDERS:
        if args.only not in what:
            continue
        seeds, said = bench(take_away(args.build, "crm-reportd", *(patch or [patch_of(what)])), order, args.runs)
        clean, complaint = bench(args.build / "release" / "crm-reportd", order, args.runs)
        wrong += not seeds or bool(clean)
        print("%-8s without %s: seeds %s of %d\n         %s\n         %s" % (
            "noticed" if seeds else "MISSED", what, ", ".join(seeds), args.runs, order, said), flush=True)
        if clean:
            print("         but with it, too: seeds %s: %s" % (", ".join(clean), complaint), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
