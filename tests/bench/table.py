"""Markdown tables of what was measured."""
from statistics import median

CATCHUP = [("events", "events", 1, 0), ("wall", "wall s", 1, 2), ("cpu", "CPU s", 1, 2), ("redis_cpu", "CPU s Redis", 1, 2),
           ("broker_cpu", "CPU s broker", 1, 2), ("rss_mib", "RSS MiB", 1, 0), ("rate", "k ev/s", 1000, 0), ("steady", "k ev/s first–last", 1000, 0),
           ("warm", "k ev/s 2nd half", 1000, 0), ("per_cpu", "k ev per CPU s", 1000, 0), ("per_cpu_redis", "… with Redis", 1000, 0),
           ("warm_per_cpu", "… 2nd half alone", 1000, 0), ("start", "first event after s", 1, 2), ("reports", "reports done after s", 1, 1),
           ("redis_bytes", "bytes to Redis per event", 1, 0), ("redis_commands", "commands per event", 1, 2), ("keys", "keys", 1, 0), ("redis_mib", "Redis MiB", 1, 0), ("stop", "stop s", 1, 2)]
TOPICS = [("events", "events", 1, 0), ("cost", "µs an event", 1e-6, 2), ("redis_cost", "µs of Redis", 1e-6, 2)]
REPLAY = [("events", "events", 1, 0), ("wall", "wall s", 1, 1), ("cpu", "CPU s", 1, 1), ("rate", "k ev per CPU s", 1000, 0), ("rss_mib", "RSS MiB", 1, 0)]
WEIGHT = [("entity", "bytes of its record", 1, 0), ("others", "of records it names", 1, 0), ("counters", "of counters", 1, 0), ("names", "of names", 1, 0),
          ("rest", "of the rest", 1, 0), ("total", "all that Redis took", 1, 0)]
GROWTH = [("cases", "cases", 1, 0)] + WEIGHT + [
    ("redis_mib", "Redis MiB", 1, 0), ("rss_mib", "RSS MiB", 1, 0), ("start", "first commit after s", 1, 2), ("cost", "µs an event", 1e-6, 2),
    ("redis_cost", "µs of Redis", 1e-6, 2), ("of_first", "of the first", 1, 3), ("per_cpu_redis", "k ev per CPU s with Redis", 1000, 0)]
KINDS = [("entities", "entities", 1, 0), ("events", "events", 1, 0)] + WEIGHT + [("rss_mib", "RSS MiB", 1, 0)]
MANY = [("events", "events", 1, 0), ("cpu", "CPU s", 1, 1), ("rss_mib", "MiB catching up", 1, 0), ("documents", "documents", 1, 0), ("documents_s", "written after s", 1, 1), ("publisher", "CPU s of the publisher", 1, 1),
        ("rest", "at rest % of a CPU", 0.01, 1), ("rest_redis", "Redis %", 0.01, 1), ("start", "counts after s", 1, 2), ("start_rss", "MiB after a start", 1, 0),
        ("midnight", "midnight s, with the start", 1, 1), ("midnight_cpu", "CPU s of it", 1, 1), ("midnight_redis", "of Redis", 1, 1), ("midnight_rss", "MiB of it", 1, 0)]
FRESHNESS = [("rate", "events/s", 1, 0), ("probes", "probes", 1, 0), ("unseen", "unseen", 1, 0),
             ("p50", "p50 ms", 1, 0), ("p90", "p90 ms", 1, 0), ("p99", "p99 ms", 1, 0), ("max", "max ms", 1, 0), ("late", "feed late by ms", 1, 0),
             ("cpu_share", "daemon % of a CPU", 0.01, 0), ("redis_share", "Redis %", 0.01, 0), ("broker_share", "broker %", 0.01, 0)]
LATENCY = [("rate", "events/s", 1, 0), ("tenants", "tenants", 1, 0), ("document", "document bytes", 1, 0), ("probes", "probes", 1, 0), ("unseen", "unseen", 1, 0), ("p50", "p50 ms", 1, 1),
           ("p99", "p99 ms", 1, 1), ("p999", "p99.9 ms", 1, 1), ("acked", "broker has it p99 ms", 1, 1), ("late", "feed late by ms", 1, 1), ("cpu_share", "engine % of a CPU", 0.01, 0), ("redis_share", "Redis %", 0.01, 0),
           ("broker_share", "broker %", 0.01, 0), ("feed_share", "feed %", 0.01, 0), ("watch_share", "reader %", 0.01, 0)]


def cell(rows, column):
    """The median, and from–to where runs repeat."""
    name, _, scale, digits = column
    values = sorted(row[name] / scale for row in rows if row.get(name) is not None)
    if not values:
        return "–"
    text = "%.*f" % (digits, median(values))
    return text if len(values) == 1 or values[0] == values[-1] else text + " (%.*f–%.*f)" % (digits, values[0], digits, values[-1])


def markdown(rows, columns, *more):
    """`rows`: [(name, row)], equal names are repetitions. `more`: names of further cells, as they are."""
    grouped = {}
    for name, row in rows:
        grouped.setdefault(name, []).append(row)
    lines = ["| | " + " | ".join([column[1] for column in columns] + list(more)) + " |", "|---" * (1 + len(columns) + len(more)) + "|"]
    for name, same in grouped.items():
        texts = [", ".join(sorted({str(row[key]) for row in same if row.get(key) is not None})) or "–" for key in more]
        lines.append("| %s | " % name + " | ".join([cell(same, column) for column in columns] + texts) + " |")
    return "\n".join(lines)
