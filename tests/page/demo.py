"""The demo as a test has it: its address, its own Kafka for real clients, and its HTTP interface for comparison."""
import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

from confluent_kafka import Producer

ids = itertools.count(1)


def wait_until(true, what, timeout=60, every=0.05):
    """The first result of `true()` that is one; fails with `what` (a text or a function) when none comes in time."""
    end = time.monotonic() + timeout
    while True:
        result = true()
        if result:
            return result
        assert time.monotonic() < end, "after %g s still not: %s" % (timeout, what() if callable(what) else what)
        time.sleep(every)


class Demo:
    """crm-reportd demo in a temporary folder, calm enough that a test can look at its numbers."""

    def __init__(self, binary, rate=2):
        self.folder = Path(tempfile.mkdtemp(prefix="page-"))  # a short name: sockets need that
        self.output = self.folder / "output"
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen([str(binary), "demo", "--plain", "--rate", str(rate)], stdout=output, stderr=output,
                                            env=os.environ | {"TMPDIR": str(self.folder)})
        wait_until(lambda: self.ended() or "events counted" in self.said(), self.said, 120)
        assert not self.ended(), self.said()
        self.address = re.search(r"http://[^\s/]+", self.said())[0]
        settings = json.loads(next(self.folder.glob("*/settings.json")).read_text())
        self.producer = Producer({"bootstrap.servers": settings["kafka"]["bootstrap.servers"], "linger.ms": 0, "log_level": 0})

    def said(self):
        return self.output.read_text(errors="replace")

    def ended(self):
        return self.process.poll() is not None

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder)

    def send(self, kind, subject, tenant="acme", topic="crm.support", **data):
        """An event that happens now, by an ordinary Kafka client."""
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event = {"specversion": "1.0", "id": "page-%d" % next(ids), "source": "/tests/page", "type": "crm." + kind,
                 "subject": subject, "tenantid": tenant, "time": now, "data": data}
        failed = []
        self.producer.produce(topic, json.dumps(event), tenant, on_delivery=lambda error, _: failed.append(error) if error else None)
        assert self.producer.flush(30) == 0 and not failed, failed

    def get(self, path):
        with urllib.request.urlopen("%s/v1/%s" % (self.address, path), timeout=20) as answer:
            return json.load(answer)

    def report(self, name, tenant="acme"):
        return self.get("tenants/%s/reports/%s" % (tenant, name))

    def query(self, metric, tenant="acme", **more):
        request = urllib.request.Request("%s/v1/tenants/%s/query" % (self.address, tenant), json.dumps({"metric": metric} | more).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)["rows"]
