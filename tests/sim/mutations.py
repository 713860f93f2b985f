"""Can the simulation fail? Takes one thing after the other away of what makes the daemon exact, in a copy of the tree, and looks
whether the simulated histories show it.

    mutations.py --build FOLDER [--histories N] [--only WORD]
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent.parent

# what is taken away, the file, its text, what stands there instead
MUTATIONS = [
    ("the version comparison (commit.lua's, as the model has it)", "tests/sim/link.c",
     "commit->outcome = version == commit->version ? DONE : CONFLICT;", "commit->outcome = DONE;"),
    ("the position check", "daemon/tenant/fold.c",
     "entry->skipped = position->life == entry->life && entry->offset < position->next;", "entry->skipped = !position;"),
    ("the cache drop after a commit that did not take place", "daemon/worker/recover.c",
     "if (batch->begun && !batch->committed) tenant_drop(batch->tenant);", ""),
    ("the cache drop when Redis is another or was set back", "daemon/worker/recover.c",
     "    worker_forget_tenants(worker);\n    doubt_lists(worker);", "    doubt_lists(worker);"),
    ("the trailing of marks behind commits", "daemon/worker/lane.c",
     "    lane->sent = lane->decoded;", "    lane->sent = lane->committed = lane->decoded;"),
    ("the trailing of offsets behind marks", "daemon/worker/marks.c",
     "lane_partition(worker->lanes.at[i]), worker->lanes.at[i]->mark.next,", "lane_partition(worker->lanes.at[i]), worker->lanes.at[i]->decoded.next + 1,"),
    ("the comparison of the server after a new connection", "daemon/worker/recover.c", "    if (!same) {", "    if (!same && !worker) {"),
    ("that a mark waits for dead letters", "daemon/worker/lane.c", "return held < mark.next ? lane->mark : mark;", "return held == INT64_MIN ? lane->mark : mark;"),
    ("the recognition of a partition by its last record", "daemon/worker/recover.c",
     "return view->found && view->timestamp_us == mark->last_timestamp_us && mark->next <= view->high;", "return mark->next <= view->high;"),
    ("the record by which a young partition is recognised", "daemon/worker/lane.c",
     "return lane->started && lane->mark.last < 0 && lane->first.last >= 0;", "return lane->started && !lane;"),
    ("the comparison of the alerts' version (alerts.lua's, as the model has it)", "tests/sim/alerts.c",
     "SPAN(ALERT_VERSION)) != commit->expected", "SPAN(ALERT_VERSION)) != commit->expected && false"),
    ("that alerts not yet acknowledged are read from Redis", "daemon/publish/alerts.c",
     "    recall_letters(desk, stored.unsent, stored.n_unsent);", ""),
    ("that alerts are told again after Redis lost something", "daemon/publish/alert_recall.c",
     "    if (!alerts->set_back) return;", "    alerts->set_back = false;\n    if (!alerts->set_back) return;"),
    ("that tenants are looked through after an assignment", "daemon/worker/recover.c",
     "    worker->lanes_pending = true;\n    worker->adopt_pending = true;", "    worker->lanes_pending = true;"),
]


def copy_tree(to):
    names = subprocess.run(["git", "-C", TREE, "ls-files", "-z", "common", "daemon", "config", "tests", "CMakeLists.txt"], capture_output=True,
                           check=True).stdout.decode().split("\0")
    for name in filter(None, names):
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        source = (TREE / name).read_bytes()
        if not target.exists() or target.read_bytes() != source:
            target.write_bytes(source)


def build(folder, private):
    subprocess.run(["cmake", "-B", folder / "build", "-G", "Ninja", "-S", folder / "tree", "-DCMAKE_BUILD_TYPE=Release",
                    *(["-DYYJSON_DIR=%s" % private] if private.exists() else [])], check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run(["ninja", "-C", folder / "build", "sim"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, "it does not build:\n" + done.stdout[-3000:]


def simulate(folder, histories):
    """(does it notice, what it says)"""
    done = subprocess.run([folder / "build" / "sim", "--brief", "--histories", str(histories), "--jobs", str(os.cpu_count())], capture_output=True,
                          text=True, timeout=1800, check=False)
    said = re.findall(r"seed \d+: .*", done.stdout)
    return done.returncode != 0, said[0][:150] if said else done.stdout.strip()[-150:]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", type=Path, required=True, help="where builds are (tests/run.sh makes one)")
    options.add_argument("--histories", type=int, default=20000, help="at most so many until a mutation is seen")
    options.add_argument("--only", default="", help="mutations with this word")
    args = options.parse_args()
    folder, missed = args.build / "mutations", 0
    shutil.rmtree(folder / "tree", ignore_errors=True)
    for what, name, text, instead in MUTATIONS:
        if args.only not in what:
            continue
        copy_tree(folder / "tree")
        source = folder / "tree" / name
        whole = source.read_text(encoding="utf-8")
        assert whole.count(text) == 1, "%s: %d times %r, expected once: the mutation must follow the code" % (name, whole.count(text), text)
        source.write_text(whole.replace(text, instead), encoding="utf-8")
        build(folder, args.build / "yyjson")
        noticed, said = simulate(folder, args.histories)
        missed += not noticed
        print("%-8s without %s\n         %s" % ("noticed" if noticed else "MISSED", what, said), flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
