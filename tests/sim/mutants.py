"""Copies of the tree in which one thing is missing of what makes the daemon exact."""
import subprocess
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent.parent

# what is taken away, the file, its text, what stands there instead
MUTATIONS = [
    ("the version comparison (commit.lua's, as the model has it)", "tests/sim/link.c",
     "commit->outcome = version == commit->version ? DONE : CONFLICT;", "commit->outcome = DONE;"),
    ("the position check", "daemon/tenant/ahead.c",
     "entry->skipped = position->life == entry->life && entry->offset < position->next;", "entry->skipped = !position;"),
    ("the cache drop after a commit that did not take place", "daemon/worker/recover.c",
     "if (batch->begun && !batch->committed) tenant_drop(batch->tenant);", ""),
    ("the cache drop when Redis is another or was set back", "daemon/worker/recover.c",
     "    worker_forget_tenants(worker);\n    doubt_lists(worker);", "    doubt_lists(worker);"),
    ("the trailing of marks behind commits", "daemon/worker/lane.c",
     "    lane->sent = lane->decoded;", "    lane->sent = lane->committed = lane->decoded;"),
    ("the trailing of offsets behind marks", "daemon/worker/marks.c",
     "int64_t next = lane->committed.next < lane->mark.next ? lane->committed.next : lane->mark.next;", "int64_t next = lane->decoded.next + 1;"),
    ("that tenants whose events are all counted are listed again", "daemon/worker/round.c",
     "else if (!look_after(worker, round->batches[i]->tenant))", "else if (!worker && !look_after(worker, round->batches[i]->tenant))"),
    ("the comparison of the server after a new connection", "daemon/worker/recover.c", "    if (!same) {", "    if (!same && !worker) {"),
    ("that a mark waits for dead letters", "daemon/worker/lane.c", "return held < mark.next ||", "return held == INT64_MIN ||"),
    ("that a mark is not taken back where only the offset in Kafka is older", "daemon/worker/recover.c", "lane->counted = mark->next;", "lane->counted = 0;"),
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
     "        lane->started = false;\n    }\n    worker->lanes_pending = true;\n    worker_begin_adoption(worker);",
     "        lane->started = false;\n    }\n    worker->lanes_pending = true;"),
    ("that nobody leaves while there is something to read", "daemon/worker/timers.c", "    return worker->at_end;", "    return true;"),
    ("the question how many cells stand in a bucket", "daemon/tenant/cells.c", "    if (batch->tenant->version)\n", "    if (!batch->tenant)\n"),
    ("that the clock goes on for a tenant that rests", "daemon/tenant/tenant.h",
     "return tenant->loaded || tenant->resting;", "return tenant->loaded;"),
    ("that who knows what others did has no turn left", "daemon/publish/alerts.c",
     "        alerts->due_us = alerts->behind ? alerts->behind_since_us + BEHIND_US : NEVER;", "        if (!alerts) return false;"),
    ("that all numbers are written where others wrote some", "daemon/publish/numbers.c",
     "        bool elsewhere = turn->publication.periods[i].elsewhere;", "        bool elsewhere = false;"),
    ("that what the topic has is noted", "daemon/publish/topic.c", "    forget_what_lies_below(publisher);\n    size_t n",
     "    forget_what_lies_below(publisher);\n    topic_forget_delivered(publisher);\n    size_t n"),
    ("the marks of who has left", "daemon/tenant/fold.c", "work->retired = retired_find(tenant, work->page, work->entity.id);", "work->retired = false;"),
]


def copy_tree(to):
    """What is the same stays untouched, so that little is built anew."""
    names = subprocess.run(["git", "-C", TREE, "ls-files", "-z", "common", "daemon", "config", "tests", "CMakeLists.txt"], capture_output=True,
                           check=True).stdout.decode().split("\0")
    wanted = {to / name for name in names if name and (TREE / name).exists()}
    for old in to.rglob("*"):
        if old.is_file() and old not in wanted:
            old.unlink()
    for target in wanted:
        target.parent.mkdir(parents=True, exist_ok=True)
        source = (TREE / target.relative_to(to)).read_bytes()
        if not target.exists() or target.read_bytes() != source:
            target.write_bytes(source)


def build(folder, private, target):
    subprocess.run(["cmake", "-B", folder / "build", "-G", "Ninja", "-S", folder / "tree", "-DCMAKE_BUILD_TYPE=Release",
                    *(["-DYYJSON_DIR=%s" % private] if private.exists() else [])], check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run(["ninja", "-C", folder / "build", target], capture_output=True, text=True, check=False)
    assert done.returncode == 0, "it does not build:\n" + done.stdout[-3000:]
    return folder / "build" / target


def take_away(builds, target, *changes):
    """Builds `target` of a copy of the tree in which of each change (name, text, instead) `text` of the file `name` is `instead`;
    returns the program. `builds`: the folder where builds are."""
    folder = builds / "mutations"
    copy_tree(folder / "tree")
    for name, text, instead in changes:
        source = folder / "tree" / name
        whole = source.read_text(encoding="utf-8")
        assert whole.count(text) == 1, "%s: %d times %r, expected once: the mutation must follow the code" % (name, whole.count(text), text)
        source.write_text(whole.replace(text, instead), encoding="utf-8")
    return build(folder, builds / "yyjson", target)
