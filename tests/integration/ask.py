"""The same questions asked of the live state in Redis and of a replay in memory; and the raw counters, cell by cell."""
import concurrent.futures
import functools
import json
import random
import re
import sys

from servers import TESTS

sys.path[:0] = [str(TESTS / "property"), str(TESTS / "model")]
from questions import COUNT_ARRIVALS, Questions, replay  # noqa: E402


def live(daemon, queries):
    """Answers of `crm-reportd query`, line by line."""
    status, out, err = daemon.command("query", stdin="".join(json.dumps(q) + "\n" for q in queries))
    answers = out.splitlines()
    assert len(answers) == len(queries), "exit status %d, %d answers to %d queries: %s" % (status, len(answers), len(queries), err[-2000:])
    return answers


def replayed(binary, as_of, tenants, queries, files):
    code, answers, err = replay(binary, as_of, {"tenants": tenants}, queries, files, timeout=900)
    assert code in (0, 3) and len(answers) == len(queries), "replay: exit status %s: %s" % (code, err[-2000:])
    return answers


def both(one, other):
    """The results of two functions that run at the same time."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return [each.result() for each in (pool.submit(one), pool.submit(other))]


def everything(tenants, days, seed=1):
    """All questions about the first tenants (settings by name), a third of them, chosen at random, about the others."""
    rng = random.Random(seed)
    return [query for n, (tenant, settings) in enumerate(tenants.items())
            for query in Questions(rng, tenant, settings.get("custom", {}), days).all() if n < 4 or rng.random() < 0.33]


def assert_same(queries, want, got, but=()):
    """Answers equal byte by byte; names the first that differ."""
    wrong = [(q, a, b) for q, a, b in zip(queries, want, got, strict=True) if a != b and q["metric"] not in but]
    assert not wrong, "%d of %d answers differ, the first:\n%s" % (
        len(wrong), len(queries), "\n".join("%s\n  want %s\n  got  %s" % (json.dumps(q), a[:1500], b[:1500]) for q, a, b in wrong[:5]))


FIELD = re.compile(r"^([a-z_]+)(?::([0-9,]*))?((?:;[^=]+=[0-9]+)*)$")


def readable(field, names):
    """A cell's field with the numbers of names replaced by the names."""
    fact, dims, customs = FIELD.match(field).groups()
    known = [names[n] if n else None for n in dims.split(",")] if dims else []
    own = tuple(sorted((name, names[n]) for name, n in (part.split("=") for part in customs.split(";")[1:])))
    return fact, tuple(known), own


@functools.lru_cache(maxsize=100000)
def canonical(value):
    """Sums, and the spread of each duration as a sorted list of buckets."""
    sums, *spreads = value.split("|")
    return tuple(sums.split()), tuple((words.split()[0], tuple(sorted(words.split()[1:]))) for words in spreads)


def cells(redis, tenant):
    """{(day:2026-03-02 | month:2026-03 | now, readable field): value} of all counters of a tenant."""
    base = "crm:{%s}:" % tenant
    names, found = redis.client.hgetall(base + "names"), {}
    read = functools.cache(lambda field: readable(field, names))
    for key in redis.client.scan_iter(base.replace("[", "\\[") + "*", count=1000):
        bucket = re.match(r"(day:[0-9-]{10}|month:[0-9-]{7}|now)(:[0-9]+)?$", key[len(base):])
        if bucket:
            for field, value in redis.client.hgetall(key).items():
                found[bucket[1], read(field)] = canonical(value)
    return found


def snapshots(redis):
    """{(tenant, report): document} of Redis."""
    found = {}
    for key in redis.client.scan_iter("crm:*:report:*", count=1000):
        tenant, report = re.match(r"crm:\{(.*)\}:report:(.*)$", key).groups()
        found[tenant, report] = json.loads(redis.client.get(key))
    return found


def bare(snapshot):
    """A snapshot without what says when and on what occasion it was made."""
    return {k: v for k, v in snapshot.items() if k not in ("version", "as_of", "changes", "since", "changes_truncated")}
