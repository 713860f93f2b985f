"""A picture per run: how far it was and what memory it had, over time; or what each station of the hot path costs."""
import sys

try:
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
except ImportError:  # tests/bench/requirements.txt
    pyplot = None
told = []


def over_time(row, axes):
    """Samples: seconds, events counted, CPU seconds of the daemon, of Redis, MiB of the daemon."""
    seconds, events, cpu, redis_cpu, mib = list(zip(*row["samples"]))[:5]
    axes.plot(seconds, [100 * n / events[-1] for n in events], color="tab:blue", label="% of {:,} events counted".format(events[-1]))
    axes.set_xlabel("seconds; of the processor {:.1f} in the daemon, {:.1f} in Redis".format(cpu[-1], redis_cpu[-1] - redis_cpu[0]))
    axes.set_ylim(0, 105)
    memory = axes.twinx()
    memory.plot(seconds, mib, color="tab:red", label="MiB of the daemon")
    memory.set_ylim(0, max(mib) * 1.05)
    lines = axes.get_lines() + memory.get_lines()
    axes.legend(lines, [line.get_label() for line in lines], loc="lower right")


def stations(row, axes):
    names = [name for name in row["ns"] if name not in ("yardstick", "render", "state")]
    axes.barh(names, [row["ns"][name] for name in names], color="tab:blue")
    axes.invert_yaxis()
    axes.set_xlabel("nanoseconds per event")
    for at, name in enumerate(names):
        axes.text(row["ns"][name], at, " %.0f" % row["ns"][name], va="center")


def draw(folder, name, row):
    """NAME.png in the folder, of a row that has something to draw."""
    how = over_time if row.get("samples") else stations if isinstance(row.get("ns"), dict) else None
    if not how:
        return
    if not pyplot:
        if not told:
            print("no plots: matplotlib is missing (pip install -r tests/bench/requirements.txt)", file=sys.stderr)
        told.append(name)
        return
    figure, axes = pyplot.subplots(figsize=(9, 5))
    axes.set_title(name)
    how(row, axes)
    figure.tight_layout()
    taken = sorted(folder.glob("%s*.png" % name.replace(" ", "-")))
    figure.savefig(folder / ("%s%s.png" % (name.replace(" ", "-"), "-%d" % (len(taken) + 1) if taken else "")))
    pyplot.close(figure)
