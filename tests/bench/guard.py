#!/usr/bin/env python3
"""Does an event cost more than it did? Compares ratios, never times: what each part of the hot path takes, in instructions counted by valgrind, as a multiple
of parsing the same bytes with yyjson alone, in the same run; and allocations per event. What is kept stands in ratios.json.

    guard.py --bin build/crm-reportd              fails when a ratio got worse by more than --tolerance
    guard.py --bin build/crm-reportd --keep       keeps what is measured now: say in the commit why
    guard.py --bin build/crm-reportd --itself     is told that decoding was made slower, and must notice
    guard.py --engines RESULTS [--keep]           the same of ours and the peers in one run (bench.py --results), where there are peers
"""
import argparse
import json
import re
import sys
import tempfile
from pathlib import Path
from statistics import median

from machine import BENCH
from stages import Input

KEPT = BENCH / "ratios.json"
EVENTS, HISTORY, TENANTS, RECORDS = 6000, 1000, 4, 1000
YARDSTICK = "yardstick"
# what each part is: functions of the daemon, each with all that it calls
PARTS = {"decode": ["decode"], "look-up": ["batch_begin", "batch_widen"], "entity": ["entity_decode"], "fold": ["entity_apply"], "facts": ["facts_of"],
         "difference": ["ledger_replace"], "counter": ["batch_ask_for_cells", "write_cells"], "encode": ["batch_encode", "write_pages"], "body": ["commits_send"],
         "all": ["round_decode", "round_fold", "commits_send"], "board": ["following_add"], "render": ["following_render"]}


def inclusive(file, wanted):
    """{function: instructions with all that it calls} of a file of callgrind: what stands at each call of it, summed up."""
    names, sums, called, takes = {}, dict.fromkeys(wanted, 0), None, False
    for line in file.open(encoding="utf-8", errors="replace"):
        if takes:
            takes = False
            if called in sums:
                sums[called] += int(line.split()[1])
        elif line.startswith(("fn=", "cfn=")):
            number, name = re.match(r"c?fn=\((\d+)\)(?: (.*))?", line).groups()
            names[number] = name or names[number]
            called = names[number].split("'")[0] if line[0] == "c" else called
        elif line.startswith("calls="):
            takes = True
    return sums


def instructions(binary, made, catalogue, folder, **environment):
    """({part: multiple of the yardstick}, {"allocations": per event})"""
    out = Path(folder) / ("callgrind.%s" % catalogue)
    result = made.run(binary, catalogue, RECORDS, ("valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=%s" % out), **environment)
    sums = inclusive(out, [*sum(PARTS.values(), []), YARDSTICK])
    each = sums[YARDSTICK] / EVENTS
    found = {part: sum(sums[function] for function in functions) / (EVENTS + HISTORY) / each for part, functions in PARTS.items()}
    allocations = sum(stage["allocations"] for name, stage in result["stages"].items() if name not in (YARDSTICK, "state", "render"))
    return {name: round(value, 3) for name, value in found.items() if value} | {"allocations": round(allocations / result["events"], 3)}


def measured(binary, catalogues, **environment):
    with tempfile.TemporaryDirectory() as folder:
        made = Input(folder, EVENTS, HISTORY, TENANTS)
        return {catalogue: instructions(binary, made, catalogue, folder, **environment) for catalogue in catalogues}


def engines(file):
    """{"three against streams": k events per CPU second with Redis, ours / theirs} of the runs in a file of results; higher is better, so it is turned round."""
    runs = {}
    for line in open(file, encoding="utf-8"):
        row = json.loads(line)
        if row.get("per_cpu_redis") and "cases" not in row:
            runs.setdefault(row["name"], []).append(row["per_cpu_redis"])
    middle = {name: median(values) for name, values in runs.items()}
    ours = {name: value for name, value in middle.items() if name.startswith("crm-reportd ")}
    return {"engines": {"%s by %s" % (peer, name.split()[1]): round(value / mine, 3)
                        for name, mine in ours.items() for peer, value in middle.items() if peer not in ours}}


def worse(kept, found, tolerance):
    """Lines, one for each ratio that got worse; what is not kept yet, or no more measured, is told too."""
    lines = []
    for group, ratios in found.items():
        for name, value in ratios.items():
            before = kept.get(group, {}).get(name)
            if before is None:
                lines.append("%s: %s is measured (%.3f) and not kept: guard.py --keep" % (group, name, value))
            elif value > before * (1 + tolerance) + 0.01:
                lines.append("%s: %s is %.3f, kept is %.3f: %+.1f %%, at most %+.1f %%" % (group, name, value, before, 100 * (value / before - 1), 100 * tolerance))
        for name in kept.get(group, {}).keys() - ratios.keys():
            lines.append("%s: %s is kept and was not measured" % (group, name))
    return lines


def show(kept, found, tolerance):
    for group, ratios in found.items():
        for name, value in ratios.items():
            before = kept.get(group, {}).get(name)
            better = before is not None and value < before * (1 - tolerance) - 0.01
            print("%-8s %-12s %9.3f   kept %s%s" % (group, name, value, "–" if before is None else "%9.3f" % before, "   better: --keep it" if better else ""))


def itself(args, kept):
    """Decoding each event twice must be noticed, and nothing else be blamed but what holds it."""
    lines = worse(kept, measured(args.bin, ["three"], BENCH_SLOWER="decode"), args.tolerance)
    print("\n".join(lines))
    noticed = any(line.startswith("three: decode ") for line in lines)
    print("decoding made slower: " + ("noticed" if noticed else "NOT noticed"))
    return 0 if noticed else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--itself", action="store_true")
    parser.add_argument("--engines", type=Path)
    parser.add_argument("--tolerance", type=float, default=None, help="0.1: ten percent (the default; 0.25 between engines)")
    args = parser.parse_args()
    if not args.bin and not args.engines:
        parser.error("--bin or --engines is needed")
    args.tolerance = args.tolerance if args.tolerance is not None else 0.25 if args.engines else 0.1
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    if args.itself:
        return itself(args, kept)
    found = engines(args.engines) if args.engines else measured(args.bin, ["three", "full"])
    show(kept, found, args.tolerance)
    if args.keep:
        KEPT.write_text(json.dumps(kept | found, indent=1) + "\n", encoding="utf-8")
        return 0
    lines = worse(kept, found, args.tolerance)
    print("\n".join(lines), end="\n" if lines else "")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
