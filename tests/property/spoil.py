"""Makes a good event a bad one, in one way or in two."""
import json

from vocabulary import instant

BAD_DATA = {
    "deal": {"amount": ["12.3456", "1e3", "1,5", "", "9999999999999999", True, [], "- 5", ".5", "5."], "currency": ["eur", "EURO", 978], "stage": [7],
             "expected_close": ["2026-02-30", "2026-2-3", "tomorrow", 20260203], "owner": [7, {}, "x" * 1025], "cost": ["0.0001", "1.2.3"]},
    "contact": {"tags": ["vip", [1], {"a": 1}], "email": [1], "account": [False]},
    "call": {"due": ["2026-03-01", "2026-03-01T10:00:00", 5], "duration_s": [-1, "soon", True], "wait_s": [-0.5], "callback": ["yes", 1], "deal": [3]},
    "case": {"response_due": ["soon"], "resolve_due": [1], "priority": [2]},
    "campaign": {"budget": ["much"], "channel": [0]},
}
NEEDED = {"stage_changed": "stage", "merged": "into", "rated": "score", "set": "metric"}


def bad_data(rng, kind, verb, event):
    """Wrong or missing attributes. Of an event whose data are none any more nothing is left to spoil."""
    if not isinstance(event["data"], dict):
        return event
    if verb in NEEDED and rng.random() < 0.7:
        name = NEEDED[verb]
        wrong = rng.choice([None, "", 7 if name != "score" else rng.choice([0, 6, 2.5, "3"])])
        return event | {"data": event["data"] | {name: wrong} if rng.random() < 0.7 else {k: v for k, v in event["data"].items() if k != name}}
    if kind not in BAD_DATA:
        return event | {"data": rng.choice([[], "x", 7])}
    name = rng.choice(list(BAD_DATA[kind]))
    return event | {"data": event["data"] | {name: rng.choice(BAD_DATA[kind][name])}}


def spoilt(rng, event, clock):
    """A line; which reason comes first where there are two is for the contract to say."""
    kind, verb = event["type"].split(".")[1:]
    changes = [
        lambda e: e | {"specversion": rng.choice(["0.3", 1.0, None, ""])},
        lambda e: {k: v for k, v in e.items() if k != rng.choice(["id", "source", "subject", "type"])},
        lambda e: e | {rng.choice(["id", "source", "subject", "type"]): rng.choice(["", 7, ["x"], "i" * 257, "é" * 129])},
        lambda e: e | {"tenantid": rng.choice(["a b", "", "ä", "t" * 65, "a/b"])},
        lambda e: e | {"type": rng.choice(["crm.deal.evaporated", "crm.thing.created", "deal.created", "crm.deal", "crm.deal.created.x", "CRM.deal.created"])},
        lambda e: e | {"time": rng.choice(["2026-02-30T00:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00", "1899-12-31T00:00:00Z", "soon", "2026-01-01T24:00:00Z",
                                           "2026-01-01T00:60:00Z", "2026-13-01T00:00:00Z", "2200-01-02T00:00:00Z", "2026-01-01T00:00:00.Z"])},
        lambda e: e | {"time": instant(clock + 600.000001)},
        lambda e: bad_data(rng, kind, verb, e), lambda e: bad_data(rng, kind, verb, e)]
    if rng.random() < 0.1:
        text = json.dumps(event)
        return rng.choice([text[:len(text) // 2], text + "}", "[%s]" % text, "7", "null", "nonsense", text.replace(":", "=", 1)])
    for change in rng.sample(changes, rng.choice([1, 1, 2])):
        event = change(event)
    return json.dumps(event, ensure_ascii=False)
