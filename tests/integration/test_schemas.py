"""config/asyncapi.yaml and the JSON schemas beside it say what the daemon takes and sends."""
import json
import re
import subprocess
import sys

import jsonschema
import pytest
import yaml
from referencing import Registry, Resource
from servers import TESTS, wait_until
from stream import Feed
from test_faults import CLOCK, NOW_MS, event

CONFIG = TESTS.parent / "config"
EVENT = json.loads((CONFIG / "schemas/event.schema.json").read_text(encoding="utf-8"))
REPORT = json.loads((CONFIG / "schemas/report.schema.json").read_text(encoding="utf-8"))
ALERT = json.loads((CONFIG / "schemas/alert.schema.json").read_text(encoding="utf-8"))
API = yaml.safe_load((CONFIG / "asyncapi.yaml").read_text(encoding="utf-8"))
REGISTRY = Registry().with_resources([("schemas/report.schema.json", Resource.from_contents(REPORT))])
CHECKER = jsonschema.Draft202012Validator(EVENT)
TYPES = EVENT["properties"]["type"]["enum"]

# what the daemon sees and a schema cannot
BEYOND = {"too_far_ahead", "too_large", "too_many_events"}
DECIMALS_OR_CALENDAR = {("bad_money_and_dates", 4), ("bad_money_and_dates", 7), ("yen_and_dinar_have_their_own_decimals", 12),
                        ("yen_and_dinar_have_their_own_decimals", 13), ("numbers_with_an_exponent", 4), ("numbers_with_an_exponent", 6)}


def is_valid(line):
    try:
        return CHECKER.is_valid(json.loads(line))
    except ValueError:
        return False


def replayed(binary, path, *words):
    """{line number: reason} of what the daemon rejects."""
    done = subprocess.run([str(binary), "replay", "--as-of", "2026-12-31T00:00:00Z", *words, str(path)], capture_output=True, timeout=300, check=False)
    assert done.returncode in (0, 3), done.stderr
    return {int(n): code for n, code in re.findall(r"^line (\d+): (\w+):", done.stderr.decode(), re.M)}


@pytest.mark.parametrize("schema", [EVENT, REPORT, ALERT], ids=["event", "report", "alert"])
def test_it_is_a_schema(schema):
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("story", sorted(path.parent.name for path in (TESTS / "cases").glob("*/events.ndjson")))
def test_the_schema_takes_what_the_stories_take(story):
    folder = TESTS / "cases" / story
    rejected = {}
    if (folder / "rejected").exists():
        rejected = dict(re.findall(r"^line (\d+): (\w+)", (folder / "rejected").read_text(), re.M))
    for n, line in enumerate((folder / "events.ndjson").read_text(encoding="utf-8", errors="replace").split("\n"), 1):
        if not line.strip() or (story, n) in DECIMALS_OR_CALENDAR or rejected.get(str(n)) in BEYOND:
            continue
        assert is_valid(line) == (str(n) not in rejected), "line %d: %s" % (n, line)


def test_generated_histories_are_valid(tmp_path):
    path = tmp_path / "events.ndjson"
    subprocess.run([sys.executable, str(TESTS / "model/generate.py"), "--events", "20000", "--format", "ndjson", "--out", str(path)],
                   check=True, timeout=120, stdout=subprocess.DEVNULL)
    found = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        made = json.loads(line)
        found.add(made["type"])
        CHECKER.validate(made)
    assert len(found) > 20 and found <= set(TYPES)


VALUES = [True, False, 0, 5, 7, -1, 4.5, 0.01, 10**15, "x", "", None, [], ["vip"], [1], ["x" * 1025], {}, "12.50", "-3", "12,50", "x" * 257,
          "x" * 1025, "EUR", "eur", "2026-03-02", "2026-02-32", "2026-13-01", "1899-12-31", "2026-03-02T10:00:00Z",
          "2026-03-02T10:00:00+02:00", "2026-03-02T10:00:00", "2026-03-02T25:00:00Z", "2026-Q1", "2026-Q5", "2026-03", "2026-13", "2026", "26"]


def test_the_daemon_and_the_schema_agree_on_every_attribute(binary, tmp_path):
    lines = []
    for type_ in TYPES:
        for name in EVENT["$defs"][type_.split(".")[1]]["properties"]:
            for value in VALUES:
                data = {"stage": "s", "into": "c", "score": 3, "metric": "leads", "target": 5, "period": "2026"} | {name: value}
                made = {"specversion": "1.0", "id": "i%d" % len(lines), "source": "/s", "type": type_, "subject": "s%d" % len(lines),
                        "time": "2026-03-01T08:00:00Z", "data": data}
                lines.append(json.dumps(made))
    for name in ("id", "source", "subject", "type", "time", "tenantid", "sequence", "traceparent", "specversion", "data"):
        for value in VALUES + [..., "crm.deal.unknown", "deal.created"]:
            made = {"specversion": "1.0", "id": "e%d" % len(lines), "source": "/s", "type": "crm.deal.created", "subject": "d",
                    "time": "2026-03-01T08:00:00Z", "data": {}} | {name: value}
            lines.append(json.dumps({k: v for k, v in made.items() if v is not ...}))
    path = tmp_path / "events.ndjson"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    rejected = replayed(binary, path)
    differ = [(rejected.get(n), line) for n, line in enumerate(lines, 1) if is_valid(line) != (n not in rejected)]
    assert not differ, "%d of %d differ: %s" % (len(differ), len(lines), differ[:10])
    assert len(rejected) > 1000


def resolve(ref):
    found = API
    for part in ref.removeprefix("#/").split("/"):
        found = found[part]
    return found


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            yield from [value] if key == "$ref" else references(value)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


def test_the_api_refers_to_what_is_there():
    assert API["asyncapi"] == "3.0.0"
    for ref in references(API):
        assert resolve(ref) if ref.startswith("#/") else (CONFIG / ref).is_file(), ref
    for operation in API["operations"].values():
        assert operation["action"] in ("send", "receive")


def test_the_api_has_the_daemons_topics(binary):
    table = subprocess.run([str(binary), "check", "--settings"], capture_output=True, text=True, check=True).stdout
    standard = {name: value for name, value in re.findall(r"^\| `topics\.(\w+)` \|[^|]*\| `([^`]*)`", table, re.M)}
    addresses = {API["channels"][op["channel"]["$ref"].split("/")[-1]]["address"]: op["action"] for op in API["operations"].values()}
    assert sorted(name for name, action in addresses.items() if action == "receive") == sorted(standard["in"].split(","))
    assert {name for name, action in addresses.items() if action == "send"} == {standard["reports"], standard["alerts"], standard["dead_letter"]}


def test_the_examples_of_the_api_are_events():
    for example in API["components"]["messages"]["event"]["examples"]:
        CHECKER.validate(example["payload"])
    for example in API["components"]["messages"]["alert"]["examples"]:
        jsonschema.validate(example["payload"], ALERT)


def payload_checker(message):
    return jsonschema.Draft202012Validator(API["components"]["messages"][message]["payload"]["schema"], registry=REGISTRY)


def test_what_the_daemon_sends_is_as_described(topics, redis_server, daemon):
    redis, feed = redis_server(), Feed(topics, NOW_MS)
    worker = daemon(topics, redis, {"acme": {}}, clock=CLOCK).start()
    feed.record("deals", "acme", "no event")
    for n in range(3):
        feed.events([event(n, "crm.deal.won", "d%d" % n, amount="10.00"), event(10 + n, "crm.deal.created", "d%d" % n)])
        wait_until(lambda: redis.client.hget("crm:{acme}:metrics:this_month", "won_deals") == str(n + 1), worker.log, 30)
    worker.terminate()
    check = payload_checker("reportUpdated")
    records = topics.records("reports")
    for record in records:
        check.validate(json.loads(record.value()))
    assert any(json.loads(record.value())["data"]["since"] for record in records)
    letters = topics.records("dead-letter")
    assert len(letters) == 1
    headers = {name: value.decode() for name, value in letters[0].headers()}
    jsonschema.validate(headers, API["components"]["messages"]["rejected"]["headers"])
