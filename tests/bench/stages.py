"""The hot path, station by station, without servers: nanoseconds and allocations per event by bench_stages, which calls the daemon's own functions."""
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from machine import BENCH, TREE

# station -> what happens there; in the order of an event's way
STATIONS = [("source", "lines become records"), ("decode", "a record becomes an event, checked"), ("look_up", "tenant, page and record of its entity, in memory"),
            ("entity", "the record's bytes become an entity"), ("fold", "the event is put into its entity's set"),
            ("facts", "what the entity says, before and after"), ("difference", "what of it changes, summed up per cell"),
            ("counter", "cells are found, changed, encoded"), ("encode", "entities onto pages, names, timers, positions"),
            ("body", "the commit as Redis is sent it"), ("worker", "rounds, lanes, what is handed to the publisher")]
BAR = 24  # letters of the longest bar
CUT = {"catalogue": [str(BENCH / "three-metrics.json")]}


class Input:
    """A history and the events after it, by tests/model/generate.py: equal arguments, equal bytes."""

    def __init__(self, folder, events, history, tenants, seed=7):
        self.folder, self.events = Path(folder), events
        everything, settings = self.folder / "all.ndjson", self.folder / "settings.json"
        subprocess.run([sys.executable, TREE / "tests" / "model" / "generate.py", "--events", str(events + history), "--tenants", str(tenants), "--seed",
                        str(seed), "--all-kinds", "--format", "ndjson", "--out", everything, "--settings", settings], check=True)
        lines = everything.read_bytes().splitlines(keepends=True)
        (self.folder / "history.ndjson").write_bytes(b"".join(lines[:history]))
        (self.folder / "events.ndjson").write_bytes(b"".join(lines[history:]))
        self.clock = Path(str(settings) + ".as_of").read_text(encoding="utf-8").strip()
        self.settings = json.loads(settings.read_text(encoding="utf-8"))

    def command(self, binary, catalogue, records):
        config = self.folder / ("%s.json" % catalogue)
        config.write_text(json.dumps(self.settings | (CUT if catalogue == "three" else {})), encoding="utf-8")
        return [str(Path(binary).parent / "bench_stages"), str(self.folder / "history.ndjson"), str(self.folder / "events.ndjson"), str(config), str(records)]

    def run(self, binary, catalogue, records, before=(), **environment):
        found = subprocess.run([*before, *self.command(binary, catalogue, records)], env=os.environ | {"CRM_REPORTD_CLOCK": self.clock} | environment,
                               stdout=subprocess.PIPE, check=True)
        return json.loads(found.stdout)


def measure(made, binary, catalogue, records, repeat):
    """Per event, of each station the best of the runs: what disturbs only adds."""
    runs = [made.run(binary, catalogue, records) for _ in range(repeat)]
    row = {name: runs[0][name] for name in runs[0] if name != "stages"}
    row["documents"] = row.pop("reports")
    row["ns"] = {name: min(run["stages"][name]["ns"] for run in runs) / row["events"] for name in runs[0]["stages"]}
    row["ns_median"] = {name: median(run["stages"][name]["ns"] for run in runs) / row["events"] for name in runs[0]["stages"]}
    row["allocations"] = {name: runs[0]["stages"][name]["allocations"] / row["events"] for name in runs[0]["stages"]}
    row["allocated"] = {name: runs[0]["stages"][name]["bytes"] / row["events"] for name in runs[0]["stages"]}
    return row


def budget(rows):
    """The picture for daemon/README.md: a line per station, ns per event of each catalogue, a bar for the last."""
    longest = max(rows[-1][1]["ns"][station] for station, _ in STATIONS)
    lines = ["  %-12s%s" % ("ns an event", "".join("%8s" % name for name, _ in rows))]
    for station, what in STATIONS:
        cells = "".join("%8.0f" % row["ns"][station] for _, row in rows)
        bar = "█" * round(BAR * rows[-1][1]["ns"][station] / longest) or "▏"
        lines.append("  %-12s%s  %-*s %s" % (station.replace("_", "-"), cells, BAR, bar, what))
    return "\n".join(lines + ["  %-12s%s" % ("all", "".join("%8.0f" % whole(row, "ns") for _, row in rows))])


def whole(row, what):
    return sum(row[what][station] for station, _ in STATIONS)


def aside(name, row):
    """What else is to be said of a run."""
    ns, events = row["ns"], row["events"]
    text = "`%s`: %.1f differences and %.2f commands of Redis per event, in %.0f bytes; %d events a commit; %.1f allocations per event. The same bytes parsed by yyjson alone: %.0f ns." % (
        name, row["differences"] / events, row["commands"] / events, row["commit_bytes"] / events, events / row["commits"], whole(row, "allocations"), ns["yardstick"])
    if row["documents"]:
        text += " Reports: differences taken in %.0f ns an event, %.2f ms to render a document of %.0f KB (%d of them)." % (
            ns["board"], ns["render"] * events / row["documents"] / 1e6, row["report_bytes"] / row["documents"] / 1e3, row["documents"])
    return text


def picture(rows):
    """[(catalogue, row)] as Markdown: a table of all stations, the picture, what else is to be said."""
    names = [name for name, _ in rows]
    lines = ["| station | " + " | ".join("ns `%s` | allocations" % name for name in names) + " |", "|---" + "|--:" * 2 * len(names) + "|"]
    for station, _ in STATIONS:
        cells = ["%.0f | %.2f" % (row["ns"][station], row["allocations"][station]) for _, row in rows]
        lines.append("| %s | %s |" % (station.replace("_", "-"), " | ".join(cells)))
    lines.append("| **all** | " + " | ".join("**%.0f** | %.2f" % (whole(row, "ns"), whole(row, "allocations")) for _, row in rows) + " |")
    return "\n".join([*lines, "", "```", budget(rows), "```", "", *(aside(*row) for row in rows)])
