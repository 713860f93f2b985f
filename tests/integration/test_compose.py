"""docker-compose.yml and the Containerfile without a container engine: their form, and what they run, run on this machine."""
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import redis as redis_client
import yaml
from servers import BROKER, TESTS, free_port, wait_until

TREE = TESTS.parent
FILE = TREE / "docker-compose.yml"
COMPOSE = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
TOPIC_TOOL = "%s tool org.apache.kafka.tools.TopicCommand" % BROKER


def valid(path):
    """By the Compose specification's own schema."""
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    done = subprocess.run(checker, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def test_it_is_of_the_specified_form(tmp_path):
    assert valid(FILE) == (True, "ok -- validation done\n")
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(FILE.read_text(encoding="utf-8").replace("healthcheck:", "healtcheck:"), encoding="utf-8")
    assert not valid(wrong)[0]


@pytest.mark.parametrize("name", SERVICES)
def test_service(name):
    service = SERVICES[name]
    assert "build" in service or re.search(r":\d+\.\d+\.\d+(-[a-z]+)?$", service["image"]), "an image without an exact version"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert (TREE / source).is_file() and volume.endswith(":ro") if source.startswith(".") else source in COMPOSE["volumes"], volume
    for other, need in service.get("depends_on", {}).items():
        asked = {"service_healthy": "healthcheck" in SERVICES[other], "service_completed_successfully": "restart" not in SERVICES[other]}
        assert asked[need["condition"]], other
    if "restart" in service:
        assert "healthcheck" in service


def instructions():
    """(stage, word, rest) of the Containerfile, continued lines joined."""
    stage = -1
    text = (TREE / "config/Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            word, rest = line.split(None, 1)
            stage += word == "FROM"
            yield stage, word, rest


def test_the_container_is_built_by_steps_that_work(binary, tmp_path):
    """The build stage's own commands in a clean copy; packages are there already, or tests/run.sh would not have built."""
    shutil.copytree(TREE, tmp_path / "source", ignore=shutil.ignore_patterns(".git", "build*", "__pycache__"))
    runs = [rest for stage, word, rest in instructions() if stage == 0 and word == "RUN" and not rest.endswith("setup.sh packages")]
    assert len(runs) == 2
    for run in runs:
        local = re.sub(r"=/(build|out)\b", lambda found: "=%s/%s" % (tmp_path, found[1]), run)
        subprocess.run(["nice", "sh", "-euc", local], cwd=tmp_path / "source", check=True, timeout=1200, stdout=subprocess.DEVNULL)
    made = tmp_path / "out/usr/local/bin/crm-reportd"
    version = [subprocess.run([str(path), "--version"], capture_output=True, text=True, check=True).stdout for path in (made, binary)]
    assert version[0] == version[1]
    assert_runtime_is_enough(made)


def assert_runtime_is_enough(made):
    """Each library that the program names comes with it, or with a package of the runtime step."""
    setup = (TREE / "config/setup.sh").read_text(encoding="utf-8")
    packages = re.search(r"^runtime=\((.*)\)", setup, re.M)[1].split() + ["libc6"]
    linked = subprocess.run(["ldd", str(made)], capture_output=True, text=True, check=True).stdout
    needed = re.findall(r"NEEDED\s+(\S+)", subprocess.run(["objdump", "-p", str(made)], capture_output=True, text=True, check=True).stdout)
    assert "librdkafka.so.1" in needed
    for library in needed:
        path = re.search(r"^\s*%s => (\S+)" % re.escape(library), linked, re.M)[1]
        assert str(made.parent.parent) in os.path.normpath(path) or owner_of(path) in packages, library


def owner_of(path):
    found = subprocess.run(["dpkg", "-S", path, os.path.realpath(path)], capture_output=True, text=True, check=False).stdout
    return found.split(":")[0]


def test_the_container_runs_as_nobody_who_matters():
    last = {word: rest for stage, word, rest in instructions() if stage == 1}
    assert last["USER"] == "10001:10001"
    assert SERVICES["secrets"]["environment"]["DAEMON_UID"] == "10001"
    assert last["ENTRYPOINT"] == json.dumps(["/usr/local/bin/crm-reportd"])
    assert all(re.search(r":\d+\.\d+-", rest) for _, word, rest in instructions() if word == "FROM")


class Stack:
    """What the compose file starts, on this machine: its commands and environments, with hosts and mounts replaced."""

    def __init__(self, binary, kafka, folder):
        self.binary, self.folder, self.redis_port, self.http_port, self.started = binary, folder, free_port(), free_port(), []
        self.secrets = folder / "secrets"
        (folder / "data").mkdir()
        self.places = [("kafka:19092", kafka.address), ("redis://redis:6379", "redis://127.0.0.1:%d" % self.redis_port),
                       ("/etc/crm-reportd/", "%s/config/" % TREE), ("/config/", "%s/config/" % TREE),
                       ("0.0.0.0:8380", "0.0.0.0:%d" % self.http_port), ("/secrets", str(self.secrets)), ("/data", str(folder / "data"))]

    def local(self, text):
        for there, here in self.places:
            text = text.replace(there, here) if text.startswith(there) else text
        return text

    def argv(self, name, key="command"):
        return [self.local(word) for word in SERVICES[name][key]]

    def environment(self, name):
        return os.environ | {k: self.local(v) for k, v in SERVICES[name].get("environment", {}).items()}

    def once(self, argv, **environment):
        subprocess.run(argv, env=os.environ | environment, check=True, timeout=300, stdout=subprocess.DEVNULL)

    def start(self, argv, env):
        with open(self.folder / "log", "ab") as log:
            self.started.append(subprocess.Popen(argv, env=env, stdout=log, stderr=log))

    def up(self):
        self.once(self.argv("secrets", "entrypoint"))
        self.once(self.argv("topics"), KAFKA_TOPICS=TOPIC_TOOL)
        self.start(self.argv("redis") + ["--port", str(self.redis_port), "--bind", "127.0.0.1"], os.environ)
        wait_until(self.redis_is_healthy, "Redis says PONG", 20)
        self.start([str(self.binary), "run"], self.environment("crm-reportd"))

    def redis_is_healthy(self):
        test = SERVICES["redis"]["healthcheck"]["test"]
        assert test[0] == "CMD-SHELL"
        return subprocess.run(["sh", "-c", test[1].replace("redis-cli", "redis-cli -p %d" % self.redis_port)], check=False).returncode == 0

    def client(self, user):
        password = (self.secrets / ("%s.password" % user)).read_text(encoding="utf-8")
        return redis_client.Redis(port=self.redis_port, username=user, password=password, decode_responses=True)

    def check(self):
        done = subprocess.run([str(self.binary), "check"], env=self.environment("crm-reportd"), capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout

    def ask(self, metric):
        """Today's value for acme."""
        request = json.dumps({"tenant": "acme", "metric": metric, "period": "today"})
        done = subprocess.run([str(self.binary), "query", request], env=self.environment("crm-reportd"), capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)["rows"][0]["value"]

    def http_status(self, path, token):
        """With the token as a browser sends it."""
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (self.http_port, path))
        if token:
            request.add_header("Authorization", "Basic " + base64.b64encode(("any:" + token).encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def log(self):
        return (self.folder / "log").read_text(errors="replace")[-6000:]

    def down(self):
        for process in reversed(self.started):
            process.kill()
            process.wait()


@pytest.fixture
def stack(binary, kafka, tmp_path):
    made = Stack(binary, kafka, tmp_path)
    yield made
    made.down()


def test_what_it_starts_works_together(stack):
    stack.up()
    code, said = stack.check()
    assert code == 0, said
    assert "advice   redis.url" not in said and "advice   topics" not in said, said
    dashboard = stack.client("dashboard")
    events, feed = 9, ["kcat", *stack.argv("sample-feed")]
    stack.once(feed)
    wait_until(lambda: dashboard.hget("crm:{acme}:metrics:today", "cases_closed_same_day") == "1", stack.log, 60)
    stack.once(feed)
    wait_until(lambda: stack.ask("duplicate_events") == events, stack.log, 60)
    assert stack.ask("cases_closed_same_day") == 1
    assert dashboard.hget("crm:{acme}:metrics:today", "revenue:EUR") == "1300.00"
    assert json.loads(dashboard.get("crm:{acme}:report:service"))["tenant"] == "acme"
    token = (stack.secrets / "http.tokens").read_text(encoding="utf-8")
    assert [stack.http_status("/v1/tenants/acme/reports/service", one) for one in (token, None, "x" * 48)] == [200, 401, 401]
    assert stack.http_status("/readyz", None) == 200 and stack.http_status("/", token) == 200


def test_passwords_are_made_once(stack):
    made = []
    for _ in range(2):
        stack.once(stack.argv("secrets", "entrypoint"))
        made.append({path.name: path.read_text(encoding="utf-8") for path in stack.secrets.iterdir()})
    assert made[0] == made[1]
    assert sorted(made[0]) == ["crm-reportd.password", "dashboard.password", "http.tokens", "users.acl"]
    assert made[0]["crm-reportd.password"] != made[0]["dashboard.password"]
    assert all(oct(path.stat().st_mode)[-3:] == "600" for path in stack.secrets.iterdir())


def test_its_settings_are_right(binary, tmp_path):
    (tmp_path / "password").write_text("x", encoding="utf-8")
    (tmp_path / "tokens").write_text("x" * 48, encoding="utf-8")
    env = SERVICES["crm-reportd"]["environment"] | {"CRM_REPORTD_CONFIG": str(TREE / "config/crm-reportd.json"),
                                                   "CRM_REPORTD_LISTEN_TOKENS_FILE": str(tmp_path / "tokens"),
                                                   "CRM_REPORTD_REDIS_PASSWORD_FILE": str(tmp_path / "password")}
    done = subprocess.run([str(binary), "check", "--offline"], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_the_sample_holds_no_event_that_is_rejected(binary):
    sample = Path(SERVICES["sample-feed"]["volumes"][0].split(":")[0])
    done = subprocess.run([str(binary), "replay", str(TREE / sample)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
