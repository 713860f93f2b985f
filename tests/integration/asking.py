"""The HTTP interface as a test asks it, and a small history that it has numbers of."""
import http.client
import json

NOW = "2026-03-31T12:00:00Z"
TENANTS = {"acme": {"time_zone": "Europe/Berlin"}, "globex": {"currency": "USD"}, "quiet": {}}


def event(number, kind, subject, tenant="acme", time=NOW, **data):
    return {"specversion": "1.0", "id": str(number), "source": "/crm", "type": "crm." + kind, "subject": subject, "tenantid": tenant,
            "time": time, "data": data}


HISTORY = [event(1, "contact.created", "C-1", source="web", owner="anna"), event(2, "contact.created", "C-2", source="=fair,\"x\"", owner="ben"),
           event(3, "deal.created", "D-1", contact="C-1", owner="anna", amount=1300), event(4, "deal.won", "D-1"),
           event(5, "deal.created", "D-2", owner="ben", amount="9.50", currency="USD"), event(6, "deal.won", "D-2"),
           event(7, "case.opened", "S-1", owner="anna"), event(8, "case.closed", "S-1"),
           event(9, "case.opened", "S-9", tenant="globex", owner="gustav"), event(10, "deal.created", "D-9", tenant="globex", amount=5)]


class Http:
    """Asks a server; each question by a connection of its own."""

    def __init__(self, port, token=None):
        self.port, self.token = port, token

    def ask(self, path, method="GET", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        if self.token:
            headers.setdefault("Authorization", "Bearer " + self.token)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        connection.close()
        return answer

    def json(self, path, **how):
        answer = self.ask(path, **how)
        assert answer.status == 200, (path, answer.status, answer.text)
        return json.loads(answer.text)

    def problem(self, path, **how):
        answer = self.ask(path, **how)
        assert answer.headers["Content-Type"] == "application/problem+json", (path, answer.status, answer.text)
        problem = json.loads(answer.text)
        assert problem["status"] == answer.status and problem["title"] and problem["detail"]
        return answer.status, problem["code"]

    def query(self, tenant, request, format="json"):
        return self.ask("/v1/tenants/%s/query?format=%s" % (tenant, format), "POST", json.dumps(request))
