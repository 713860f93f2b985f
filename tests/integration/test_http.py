"""The HTTP interface: what it says equals what stands in Redis and what `query` answers; who may ask; updates come by themselves."""
import csv
import http.client
import io
import json
import time

import jsonschema
from asking import event
from servers import wait_until
from stream import Feed


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_reports_and_questions(running):
    http, redis = running.http, running.redis
    assert [one["tenant"] for one in http.json("/v1/tenants")["tenants"]] == ["acme", "globex", "quiet"]
    reports = {one["report"]: one["version"] for one in http.json("/v1/tenants/acme/reports")["reports"]}
    assert reports["service"] and len(reports) == len(http.json("/v1/catalogue")["reports"])

    answer = http.ask("/v1/tenants/acme/reports/service")
    assert answer.text == redis.client.get("crm:{acme}:report:service")
    assert answer.headers["ETag"] == '"%d"' % reports["service"]
    for tags in (answer.headers["ETag"], '"1", %s' % answer.headers["ETag"], "*"):
        same = http.ask("/v1/tenants/acme/reports/service", If_None_Match=tags)
        assert (same.status, same.text, same.headers["ETag"]) == (304, "", answer.headers["ETag"])
    assert http.ask("/v1/tenants/acme/reports/service", If_None_Match='"1"').status == 200
    head = http.ask("/v1/tenants/acme/reports/service", "HEAD")
    assert (head.status, head.text, head.headers["Content-Length"]) == (200, "", str(len(answer.text)))

    for request in ({"metric": "revenue", "by": ["owner"]}, {"metric": "leads", "by": ["source"]}, {"metric": "conversion_rate"},
                    {"metric": "sales_cycle", "stat": "p90", "period": "this_month"}):
        status, line, _ = running.command("query", json.dumps(request | {"tenant": "acme"}))
        assert status == 0 and http.query("acme", request).text == line.strip()
    assert http.query("acme", {"metric": "leads", "tenant": "acme"}).status == 200


def test_several_metrics_at_once(running):
    """The rows of each by itself, side by side; as a table, too; by the command line as well."""
    names = ["won_deals", "revenue", "sales_cycle.p90", "close_rate", "leads"]
    for more in ({"by": ["owner"]}, {}, {"by": ["owner", "month"], "period": "this_month"}, {"by": ["owner"], "where": {"owner": ["anna", None]}}):
        merged = {}
        for name in names:
            metric, _, stat = name.partition(".")
            for row in json.loads(running.http.query("acme", {"metric": metric} | ({"stat": stat} if stat else {}) | more).text)["rows"]:
                merged.setdefault(tuple(row.get(one) for one in more.get("by", [])), {})[name] = row["value"]
        answer = running.http.query("acme", {"metrics": names} | more)
        rows = json.loads(answer.text)["rows"]
        assert {tuple(row[one] for one in more.get("by", [])): {name: row[name] for name in names} for row in rows} == {
            key: {name: values.get(name) for name in names} for key, values in merged.items()}
        assert running.command("query", json.dumps({"metrics": names, "tenant": "acme"} | more))[1].strip() == answer.text
    table = running.http.query("acme", {"metrics": names, "by": ["owner"]}, "csv")
    assert table.text.splitlines()[0] == "owner,won_deals,revenue:EUR,revenue:USD,sales_cycle.p90,close_rate,leads"
    assert {one["owner"]: (one["won_deals"], one["revenue:EUR"], one["leads"]) for one in rows_of(table.text)} == {"anna": ("1", "1300.00", "1"), "ben": ("1", "", "1")}
    for body, want in (({"metrics": []}, "bad_request"), ({"metrics": names, "metric": "leads"}, "bad_request"), ({"metrics": ["leads", "leeds"]}, "unknown_metric"),
                       ({"metrics": ["won_deals", "leads"], "by": ["pipeline"]}, "unknown_dimension"), ({"metrics": ["leads.p90"]}, "unknown_stat")):
        assert running.http.problem("/v1/tenants/acme/query", method="POST", body=json.dumps(body)) == (400, want)
    assert running.http.problem("/v1/tenants/acme/explain", method="POST", body='{"metrics":["leads"]}') == (400, "bad_request")


def test_what_stands_behind_a_number(running):
    for request in ({"metric": "revenue"}, {"metric": "conversion_rate"}, {"metric": "revenue", "by": ["owner"]}, {"metric": "leads", "limit": 1}):
        answer = running.http.ask("/v1/tenants/acme/explain", "POST", json.dumps(request))
        status, line, _ = running.command("explain", json.dumps(request | {"tenant": "acme"}))
        assert (answer.status, answer.text) == (200, line.strip()) and status == 0
    assert json.loads(answer.text)["total"] == 2
    assert running.http.problem("/v1/tenants/acme/explain", method="POST", body='{"metric":"leeds"}') == (400, "unknown_metric")
    assert running.http.problem("/v1/tenants/nobody/explain", method="POST", body='{"metric":"leads"}') == (404, "unknown_tenant")
    assert running.http.problem("/v1/tenants/acme/explain", method="POST", body='{"metric":"leads","tenant":"globex"}') == (400, "bad_request")


def test_csv_equals_the_query(running):
    http = running.http
    for request in ({"metric": "revenue", "by": ["owner"]}, {"metric": "leads", "by": ["source", "owner"]}, {"metric": "leads"},
                    {"metric": "sales_cycle", "by": ["owner"]}, {"metric": "revenue", "by": ["owner"], "from": "2020-01-01", "to": "2020-01-31"}):
        rows, table = json.loads(http.query("acme", request).text, parse_float=str, parse_int=str)["rows"], rows_of(http.query("acme", request, "csv").text)
        flat = []
        for row in rows:
            value = row.pop("value")
            row |= {"value:" + currency: amount for currency, amount in value.items()} if isinstance(value, dict) else {"value": value}
            flat.append({k: v for k, v in row.items() if v is not None})
        assert [{k: v.removeprefix("'") for k, v in line.items() if v} for line in table] == flat
    text = http.query("acme", {"metric": "leads", "by": ["source"]}, "csv").text
    assert text.splitlines()[0] == "source,value" and '"\'=fair,""x""",1' in text

    report, table = http.json("/v1/tenants/acme/reports/sales_performance"), rows_of(http.ask("/v1/tenants/acme/reports/sales_performance?format=csv").text)
    month = next(one for one in report["sections"][0]["periods"] if one["name"] == "this_month")
    lines = [one for one in table if (one["section"], one["period"], one["row"]) == ("0", "this_month", "row")]
    assert [(one["owner"], one["won_deals"]) for one in lines] == [(one["owner"], str(one["won_deals"])) for one in month["rows"]]
    assert {one["owner"]: (one["revenue:EUR"], one["revenue:USD"]) for one in lines} == {"anna": ("1300.00", ""), "ben": ("", "9.50")}


BODIES = {"query": '{"metric":"revenue","by":["owner"]}', "explain": '{"metric":"revenue"}'}


def described(document):
    """(path, method, operation) of each route of the description."""
    return [(path, method.upper(), how) for path, methods in document["paths"].items() for method, how in methods.items() if method in ("get", "post")]


def declared(document, how, status):
    """Of the operation: the answer of this status, or that of any other."""
    answer = how["responses"].get(str(status), how["responses"].get("default", {}))
    return document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]] if "$ref" in answer else answer


def test_what_is_refused_is_described(running):
    document = running.http.json("/v1/openapi.json")
    for path, method, how in described(document):
        place = path.replace("{tenant}", "acme").replace("{report}", "service")
        asked = [running.http.ask(place + "?no_such_argument=1", method, BODIES.get(how["operationId"])), running.http.ask(place, "DELETE"),
                 running.http.ask(place, method, BODIES.get(how["operationId"]), Host="evil.example")]
        assert [answer.status for answer in asked[:2]] == [400, 405] and asked[2].status in (200, 421), path
        assert "400" in how["responses"], path
        for answer in asked:
            assert answer.headers["Content-Type"].split(";")[0] in declared(document, how, answer.status).get("content", {}), (path, answer.status)


def test_the_description_is_right(running):
    """Each route it names is there, and answers by its schema."""
    document = running.http.json("/v1/openapi.json")
    assert document["openapi"].startswith("3.1") and len(described(document)) >= 9
    for path, method, how in described(document):
        if "text/event-stream" in how["responses"]["200"].get("content", {}):
            continue
        place = path.replace("{tenant}", "acme").replace("{report}", "service")
        answer = running.http.ask(place, method, BODIES.get(how["operationId"]))
        assert answer.status == 200, (place, answer.text)
        kind = answer.headers["Content-Type"].split(";")[0]
        schema = how["responses"]["200"]["content"][kind]["schema"]
        if kind == "application/json":
            jsonschema.validate(json.loads(answer.text), schema | {"components": document["components"]}, cls=jsonschema.Draft202012Validator)
    problem = json.loads(running.http.ask("/v1/nothing").text)
    jsonschema.validate(problem, document["components"]["schemas"]["Problem"], cls=jsonschema.Draft202012Validator)


def test_what_is_not_there(running):
    http = running.http
    assert http.problem("/v1/tenants/nobody/reports") == (404, "unknown_tenant")
    assert http.problem("/v1/tenants/nobody/reports/service") == (404, "unknown_tenant")
    assert http.problem("/v1/tenants/nobody/updates") == (404, "unknown_tenant")
    assert http.problem("/v1/tenants/quiet/reports/service") == (404, "no_report_yet")
    assert http.problem("/v1/tenants/acme/reports/servise") == (404, "unknown_report")
    for path in ("/v1/tenants/acme", "/v1", "/v1/", "/index.php", "/../etc/passwd", "/%2e%2e/etc/passwd", "/page/app.js"):
        assert http.problem(path) == (404, "no_such_path")
    assert http.problem("/v1/tenants/%7Bacme%7D/reports") == (404, "no_such_name")
    assert http.problem("/v1/tenants/acme/reports/service?format=xml") == (400, "unknown_format")
    assert http.problem("/v1/tenants/acme/reports/service?form=csv") == (400, "unknown_argument")
    status, code = http.problem("/v1/tenants/acme/reports", method="DELETE")
    assert (status, code) == (405, "method_not_allowed") and http.ask("/v1/tenants/acme/reports", "PUT", "x").headers["Allow"] == "GET, HEAD"
    assert http.ask("/v1/tenants/acme/query").headers["Allow"] == "POST"
    for body, want in (("", (400, "bad_request")), ("[]", (400, "bad_request")), ('{"metric":"leeds"}', (400, "unknown_metric")),
                       ('{"metric":"leads","tenant":"globex"}', (400, "bad_request")), ('{"metric":"leads","tenant":"default"}', (400, "bad_request")),
                       ('{"metric":"leads","period":"never"}', (400, "unknown_period")), ("x" * 70000, (413, "too_large"))):
        assert http.problem("/v1/tenants/acme/query", method="POST", body=body) == want
    for chunks in (9, 400):  # of chunks nobody knows how many come
        body = (b"x" * 8000 for _ in range(chunks))
        assert http.problem("/v1/tenants/acme/query", method="POST", body=body) == (413, "too_large")
    assert http.problem("/v1/tenants", Host="evil.example") == (421, "other_host")
    assert http.problem("/v1/tenants", Sec_Fetch_Site="cross-site") == (403, "cross_site")


def test_security_headers(running):
    for path in ("/", "/app.js", "/style.css", "/chart.min.js", "/v1/tenants", "/v1/nothing", "/v1/catalogue", "/v1/openapi.json"):
        headers = running.http.ask(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "http" not in policy and "unsafe" not in policy and "*" not in policy


def test_updates_come_by_themselves(running):
    http = running.http
    versions = {one["report"]: one["version"] for one in http.json("/v1/tenants/acme/reports")["reports"] if one["version"]}
    told = {}
    with_updates = updates(http.port, "acme")
    while len(told) < len(versions):
        one = next(with_updates)
        told[one["report"]] = one["version"]
    assert told == versions

    at = time.monotonic()
    Feed(running.topics).events([event(20, "case.opened", "S-2", owner="anna")])
    one = next(with_updates)
    while one["report"] != "service":
        one = next(with_updates)
    assert one["version"] > versions["service"] and time.monotonic() - at < 5
    assert http.json("/v1/tenants/acme/reports/service")["version"] >= one["version"]

    again = updates(http.port, "acme", {"Last-Event-ID": str(one["version"])})
    assert next(again)["version"] >= one["version"]


def updates(port, tenant, headers={}):
    """The data of each event of a stream."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/v1/tenants/%s/updates" % tenant, headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/event-stream"
    while True:
        line = answer.readline().decode()
        assert line, "the stream ended"
        if line.startswith("data: "):
            yield json.loads(line[6:])


def test_redis_comes_and_goes(running):
    http = running.http
    running.redis.kill()
    assert wait_until(lambda: http.ask("/v1/tenants/acme/reports").status == 503, "503 while Redis is away")
    assert http.problem("/v1/tenants/acme/reports/service") == (503, "redis_away")
    assert http.ask("/healthz").text == "ok\n" and http.ask("/").status == 200
    running.redis.start()
    wait_until(lambda: http.ask("/v1/tenants/acme/reports/service").status == 200, "reports again")
