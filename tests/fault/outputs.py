"""What comes out besides reports: alerts and dead letters, against what must have been told."""
import json

import ask
from servers import wait_until

RULES = [{"name": "many", "metric": "leads", "period": "this_month", "above": 30},
         {"name": "busy", "metric": "calls", "period": "this_month", "by": ["owner"], "above": 10},
         {"name": "queue", "metric": "open_cases", "period": "today", "by": ["priority"], "above": 3},
         {"name": "quiet", "metric": "leads", "period": "today", "below": 5}]


# --- alerts -------------------------------------------------------------------------------------------------------------

def question(tenant, rule):
    return {"tenant": tenant, "metric": rule["metric"], "period": rule["period"]} | ({"by": rule["by"]} if "by" in rule else {})


def questions(tenants):
    """What the rules look at."""
    return [question(tenant, rule) for tenant in tenants for rule in RULES]


def is_beyond(rule, value):
    return value is not None and ("above" in rule and value > rule["above"] or "below" in rule and value < rule["below"])


def standing(answers, tenants):
    """{(tenant, rule, row)} of the alerts that stand when `answers` (question to line) are the numbers."""
    found = set()
    for tenant in tenants:
        for rule in RULES:
            for row in json.loads(answers[json.dumps(question(tenant, rule))]).get("rows", []):
                if is_beyond(rule, row["value"]):
                    found.add((tenant, rule["name"], row_text({name: row[name] for name in rule.get("by", [])})))
    return found


def row_text(row):
    return json.dumps(row, sort_keys=True)


def stored(redis):
    """(tenant, rule, row) to the version of the event that raised it, of those that stand raised in Redis."""
    found = {}
    for key in redis.client.scan_iter("crm:*:alerts", count=1000):
        tenant = key.split("{")[1].split("}")[0]
        for field, text in redis.client.hgetall(key).items():
            row = {} if field.startswith(":") else json.loads(text)
            if row.get("state") == "raised":
                found[tenant, row["rule"], row_text(row["row"])] = row["version"]
    return found


def unsent(redis):
    return [key for key in redis.client.scan_iter("crm:*:alerts:unsent", count=1000) if redis.client.hlen(key)]


def told(topics):
    """(tenant, rule, row) to [(version, state)] by version; each id once, and the same whenever it is told."""
    by_id, found = {}, {}
    for record in topics.records("alerts"):
        made = json.loads(record.value())
        assert by_id.setdefault(made["id"], made) == made, "%s is told in two ways" % made["id"]
    for made in by_id.values():
        data = made["data"]
        found.setdefault((data["tenant"], data["rule"], row_text(data["row"])), []).append((data["version"], data["state"]))
    return {place: sorted(turns) for place, turns in found.items()}


def last_words(topics):
    """(tenant, rule, row) to the version told last, of those that were told last as raised."""
    return {place: turns[-1][0] for place, turns in told(topics).items() if turns[-1][1] == "raised"}


def check_alerts(topics, redis, want, in_turns, to_the_end):
    """`want`: what stands by a recomputation. `in_turns`: nothing was lost, so each transition is told once. `to_the_end`: the topic's
    last word of each row is how it stands (where somebody lives who knows what Redis lost)."""
    def difference():
        return stored(redis).keys() ^ want
    wait_until(lambda: not difference(), lambda: "alerts stand as the numbers say, but for %s" % sorted(difference())[:5], 30, 0.5)
    wait_until(lambda: not unsent(redis), lambda: "all alerts are sent, but for %s" % unsent(redis), 30, 0.5)
    if to_the_end:
        wait_until(lambda: last_words(topics) == stored(redis), lambda: "the last word of each alert is how it stands: told %s, stands %s" % (
            sorted(last_words(topics).items() - stored(redis).items())[:5], sorted(stored(redis).items() - last_words(topics).items())[:5]), 30, 0.5)
    alerts = told(topics)
    print("  %d alerts were raised or cleared, %d stand; %s" % (sum(map(len, alerts.values())), len(want), "looked at to the last word" if to_the_end else
                                                               "who knew what Redis lost ended"), flush=True)
    for place, turns in alerts.items():
        states = [state for _, state in turns]
        assert not in_turns or states == ["raised", "cleared"] * (len(states) // 2) + ["raised"] * (len(states) % 2), "%s: %s" % (place, turns)


# --- dead letters -------------------------------------------------------------------------------------------------------

def rejected_values(values, said):
    """Those of the events that a replay of them rejected; `said`: `line N: code: message`, line by line."""
    numbers = [int(line.split(":", 1)[0].removeprefix("line ")) for line in said.splitlines() if line.startswith("line ")]
    return {values[number - 1] for number in numbers}


def source_of(letter):
    headers = {name: value.decode() for name, value in letter.headers() if name.startswith("__connect.errors.")}
    return headers["__connect.errors.topic"], int(headers["__connect.errors.partition"]), int(headers["__connect.errors.offset"])


def check_dead_letters(topics, records, rejected):
    """Each of the records with a rejected event has its dead letter, with its bytes; no other record has one."""
    want = {(record.topic(), record.partition(), record.offset()): record.value() for record in records if record.value() in rejected}
    got = {source_of(letter): letter.value() for letter in topics.records("dead-letter")}
    assert got == want, "dead letters missing of %s, too many of %s" % (sorted(want.keys() - got.keys())[:5], sorted(got.keys() - want.keys())[:5])
    assert want, "no event was rejected: the load has none"
