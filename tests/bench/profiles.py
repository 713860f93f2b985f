"""Who sends the events: a few large tenants, ten thousand small ones, one giant among many."""
import contextlib
import itertools

# name -> parts: (share of the events, tenants); lines of the parts come by turns
PROFILES = {"large": [(1, 20)], "small": [(1, 10000)], "giant": [(0.5, 1), (0.5, 1000)]}
GIANT = b"giant"


def renamed(lines):
    """Those of a part of one tenant, by a name that no other part has."""
    for line in lines:
        name, rest = line.split(b"\t", 1)
        yield GIANT + b"\t" + rest.replace(b'"tenantid":"%s"' % name, b'"tenantid":"%s"' % GIANT, 1)


def mix(files, out):
    with contextlib.ExitStack() as opened:
        parts = [opened.enter_context(open(file, "rb")) for file in files]
        made = opened.enter_context(open(out, "wb"))
        for lines in itertools.zip_longest(renamed(parts[0]), *parts[1:], fillvalue=b""):
            made.writelines(lines)


def make(profile, events, seed, tenants, generate, file_of):
    """The file of a profile's lines; `generate(events, seed, tenants)` makes the file of a part, `file_of(label)` names the mixed one. (file, label of the seed)."""
    parts = PROFILES[profile]
    if len(parts) == 1:
        return generate(events, seed, tenants or parts[0][1]), str(seed)
    label = "%s%d" % (profile, seed)
    mixed = file_of(label)
    if not mixed.exists():
        mix([generate(round(events * share), seed + n, count) for n, (share, count) in enumerate(parts)], mixed)
    return mixed, label
