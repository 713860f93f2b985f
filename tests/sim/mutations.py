"""Can the simulation fail? Takes one thing after the other away of what makes the daemon exact, in a copy of the tree, and looks
whether the simulated histories show it.

    mutations.py --build FOLDER [--histories N] [--only WORD]
"""
import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from mutants import MUTATIONS, take_away


def simulate(program, histories):
    """(does it notice, what it says)"""
    done = subprocess.run([program, "--brief", "--histories", str(histories), "--jobs", str(os.cpu_count())], capture_output=True,
                          text=True, timeout=1800, check=False)
    said = re.findall(r"seed \d+: .*", done.stdout)
    return done.returncode != 0, said[0][:150] if said else done.stdout.strip()[-150:]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", type=Path, required=True, help="where builds are (tests/run.sh makes one)")
    options.add_argument("--histories", type=int, default=20000, help="at most so many until a mutation is seen")
    options.add_argument("--only", default="", help="mutations with this word")
    args = options.parse_args()
    missed = 0
    for what, name, text, instead in MUTATIONS:
        if args.only not in what:
            continue
        noticed, said = simulate(take_away(args.build, "sim", (name, text, instead)), args.histories)
        missed += not noticed
        print("%-8s without %s\n         %s" % ("noticed" if noticed else "MISSED", what, said), flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
