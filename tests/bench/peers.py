"""The folder of peers, where there is one: its generator, its reference and its runner, so that both sides are measured on one input."""
import collections
import json
import os
import subprocess


def closed_same_day(lines):
    """{(tenant, date): cases closed on the date of their opening}, as the contract counts them: by the standing closing, which a later reopening takes
    back. The peers' simpler metric goes by the last closing, whatever came after."""
    cases = {}
    with open(lines, encoding="utf-8") as file:
        for line in file:
            if '"type":"crm.case.' not in line:
                continue
            event = json.loads(line.rsplit("\t", 1)[1])
            verb = event["type"].rsplit(".", 1)[1]
            cases.setdefault((event["tenantid"], event["subject"]), set()).add((event["time"], event.get("sequence", ""), event["source"], event["id"], verb))
    counts = collections.Counter()
    for (tenant, _), events in cases.items():
        opened = closed = ""
        for time, *_, verb in sorted(events):
            opened = opened or (time if verb == "opened" else "")
            closed = "" if verb == "reopened" else closed or (time if verb == "closed" else "")
        if closed and closed[:10] == opened[:10]:
            counts[tenant, closed[:10]] += 1
    return counts

STREAMED = ["calls", "contacts", "deals", "emails", "support"]
STREAMS_JAVA = "-Xms1g -Xmx1g -Xmn700m -XX:+UseParallelGC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn"  # as run.sh has it


class Peers:
    def __init__(self, folder, cache):
        self.folder, self.cache = folder, cache
        self.environment = os.environ | {"PEERS_CACHE": str(cache)}

    def file_of(self, events, seed, tenants):
        """Where their runner looks for its input, and makes it only if nothing is there."""
        return self.cache / ("events-%s-%d-%d.txt" % (seed, events, tenants))

    def generate(self, events, seed, tenants):
        """The file of lines."""
        generator, lines = self.cache / "bin" / "gen", self.file_of(events, seed, tenants)
        generator.parent.mkdir(parents=True, exist_ok=True)
        if not generator.exists():
            subprocess.run(["cc", "-O2", "-o", generator, self.folder / "gen.c"], check=True)
        if not lines.exists():
            part = lines.with_suffix(".part")
            with open(part, "wb") as out:
                subprocess.run([generator, "--seed", str(seed), "--events", str(events), "--tenants", str(tenants)], stdout=out, check=True)
            part.rename(lines)
        return lines

    def expected(self, lines):
        """{(tenant, date, name): value} that the contract expects."""
        with open(lines, "rb") as file:
            found = subprocess.run(["python3", "-B", self.folder / "reference.py"], stdin=file, stdout=subprocess.PIPE, check=True)
        rows = (line.split() for line in found.stdout.decode().splitlines())
        expected = {(tenant, date, name): int(value) for tenant, date, name, value in rows}
        expected = {key: value for key, value in expected.items() if key[2] != "cases_closed_same_day"}
        expected |= {(tenant, date, "cases_closed_same_day"): n for (tenant, date), n in closed_same_day(lines).items()}
        return {key: value for key, value in expected.items() if value}

    def stream(self, peer, folder, address, topics, socket, port):
        """A Streams peer, running on until it is killed; built by its own runner if need be."""
        jar = self.cache / "streams" / "app.jar"
        if not jar.exists():
            subprocess.run([self.folder / "run.sh", "streams", "1000"], env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        options = {"BROKERS": address, "GROUP": folder.name, "TOPICS": ",".join(topic for topic in topics if topic.split(".")[1] in STREAMED), "EXPECT": "0",
                   "BOUNDED": "0", "REDIS_PORT": str(port), "REDIS_SOCKET": str(socket), "STATE_DIR": str(folder)}
        options |= {"STORE": "memory"} if peer.endswith("-mem") else {}
        with open(folder / "log", "wb") as log:
            return subprocess.Popen(["java", *STREAMS_JAVA.split(), "-cp", "%s:%s/lib/*" % (jar, jar.parent), "crm.App"], env=os.environ | options, cwd=folder,
                                    stdout=log, stderr=log)

    def run(self, peer, events, seed, tenants, folder):
        """One run of a peer by its own runner; a row for the table."""
        results = folder / (peer + ".jsonl")
        environment = self.environment | {"RESULTS": str(results), "SEED": str(seed), "TENANTS": str(tenants), "REPEAT": "1"}
        subprocess.run([self.folder / "run.sh", peer, str(events)], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        row = json.loads(results.read_text(encoding="utf-8").splitlines()[-1])
        row["per_cpu_redis"] = events / (row["cpu"] + row["redis_cpu"])
        diff = row.pop("diff")
        row["wrong values"] = diff.replace(" ", " of ") if diff != "n/a" else None
        return row
