#!/usr/bin/env python3
"""A metric counts the same alone as among all others: a catalogue cut to one metric computes and stores less (facts, dimensions, measures, whole
kinds of entities), and none of what is left out may have mattered to it. Each metric is asked by every dimension that it has.

    alone.py --bin PATH-TO-crm-reportd [--events 3000] [--seed 1]
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from questions import COUNT_ARRIVALS, dimensions_of, metric_names, replay

TREE = Path(__file__).resolve().parents[2]


def history(folder, events, seed):
    """(file of events, settings, clock) of a believable history of all kinds."""
    lines, settings = folder / "events.ndjson", folder / "settings.json"
    subprocess.run([sys.executable, TREE / "tests/model/generate.py", "--events", str(events), "--tenants", "2", "--seed", str(seed), "--format", "ndjson",
                    "--out", lines, "--settings", settings], check=True)
    return lines, json.loads(settings.read_text(encoding="utf-8")), Path(str(settings) + ".as_of").read_text(encoding="utf-8").strip()


def requests(metric, dimensions, tenants):
    bys = [[]] + [[dimension] for dimension in dimensions]
    return [{"tenant": tenant, "metric": metric, "by": by} for tenant in tenants for by in bys]


class Alone:
    def __init__(self, binary, folder, events, seed):
        self.binary, self.folder = binary, folder
        self.lines, self.settings, self.as_of = history(folder, events, seed)
        self.tenants = sorted({json.loads(line).get("tenantid", "default") for line in self.lines.read_text(encoding="utf-8").splitlines()
                               if line.startswith("{")})[:2]

    def ask(self, asked, catalogue=None):
        settings = dict(self.settings)
        if catalogue:
            settings["catalogue"] = [str(catalogue)]
        _, answers, errors = replay(self.binary, self.as_of, settings, asked, [self.lines])
        assert len(answers) == len(asked), errors
        return answers

    def check(self, metric, asked, together):
        """What differs: [(request, alone, together)]."""
        catalogue = self.folder / (metric + ".json")
        catalogue.write_text(json.dumps({"only": {"metrics": [metric], "reports": []}}), encoding="utf-8")
        return [row for row in zip(asked, self.ask(asked, catalogue), together) if row[1] != row[2]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--events", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    dimensions = {metric: dimensions_of(metric, {}) for metric in metric_names()}
    metrics = sorted(dimensions.keys() - COUNT_ARRIVALS)
    with tempfile.TemporaryDirectory() as tmp:
        alone = Alone(args.bin, Path(tmp), args.events, args.seed)
        asked = {metric: requests(metric, dimensions[metric], alone.tenants) for metric in metrics}
        everything = alone.ask([request for metric in metrics for request in asked[metric]])
        together = {}
        for metric in metrics:
            together[metric], everything = everything[:len(asked[metric])], everything[len(asked[metric]):]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            found = dict(zip(metrics, pool.map(lambda metric: alone.check(metric, asked[metric], together[metric]), metrics)))
    failed = [metric for metric in metrics if found[metric]]
    for metric in failed:
        print("%s\n  asked    %s\n  alone    %s\n  together %s" % (metric, *found[metric][0]))
    answered = sum('"rows":[{' in answer for answers in together.values() for answer in answers)
    print("%d answers with rows compared" % answered)
    assert answered
    print("%d passed, %d failed" % (len(metrics) - len(failed), len(failed)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
