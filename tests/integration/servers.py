"""The servers a test talks to, each a private one in a temporary folder: a Kafka broker, Redis, and the daemon itself."""
import json
import os
import random
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import redis as redis_client

TESTS = Path(__file__).resolve().parent.parent
BROKER = TESTS / "kafka" / "broker.sh"


claims = {}


def claimed(port):
    """Nobody else's who asks in this way, whether or not a server is behind it now: a name of the system's that goes with this process."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind("\0crm-reportd.test.port.%d" % port)
    except OSError:
        claim.close()
        return False
    claims[port] = claim
    return True


def free_port():
    """One that stays free while its server is down: below those that the system gives to whoever connects (from 32768 on)."""
    while True:
        port = random.SystemRandom().randrange(30001, 32768)
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) != 0 and claimed(port):
                return port


def wait_until(true, what, timeout=60, every=0.05):
    """Returns the first result of `true()` that is one; fails with `what` (a text or a function) when none comes in time."""
    end = time.monotonic() + timeout
    while True:
        result = true()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError("after %g s still not: %s" % (timeout, what() if callable(what) else what))
        time.sleep(every)


class Kafka:
    """A broker alone; or one of several: `settings` of the broker (name=value) and `environment` of broker.sh say so."""
    kind, replicas, in_sync = "one broker", 1, 1  # of each topic

    def __init__(self, folder, settings=(), **environment):
        self.folder, self.port, self.settings = folder, free_port(), settings
        self.environment = {"KAFKA_CONTROLLER_PORT": str(free_port())} | environment
        self.address = "127.0.0.1:%d" % self.port

    def broker(self, *words):
        subprocess.run([str(BROKER), *map(str, words)], check=True, timeout=180, env=os.environ | self.environment)

    def start(self):
        self.broker("start", self.folder, self.port, *self.settings)

    def stop(self):
        self.broker("stop", self.folder)

    def kill(self):
        self.broker("kill", self.folder)

    def send(self, number):
        os.kill(int((self.folder / "pid").read_text(encoding="ascii")), number)


class Redis:
    """A redis-server on a unix socket: `durable` keeps an append-only file (everysec), else only what SAVE writes."""

    def __init__(self, folder, durable=True, password=None):
        self.folder, self.durable, self.password = folder, durable, password
        self.socket = folder / "redis.sock"
        folder.mkdir(exist_ok=True)

    @property
    def url(self):
        return "unix://%s" % self.socket

    def start(self):
        argv = ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.folder, "--save", "",
                "--logfile", self.folder / "redis.log", "--appendonly", "yes" if self.durable else "no", "--appendfsync", "everysec"]
        if self.password:
            argv += ["--requirepass", self.password]
        self.process = subprocess.Popen([str(word) for word in argv])
        self.connect()
        wait_until(self.answers, lambda: "Redis answers (%s)\n%s" % (self.process.poll(), (self.folder / "redis.log").read_text(errors="replace")[-3000:]))

    def connect(self):
        self.client = redis_client.Redis(unix_socket_path=str(self.socket), password=self.password, decode_responses=True)

    def change_password(self, password):
        self.client.config_set("requirepass", password)
        self.password = password
        self.connect()

    def answers(self):
        try:
            return self.client.ping()
        except redis_client.exceptions.RedisError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    stop = kill


class Daemon:
    """crm-reportd run, with its configuration and log in a folder. `clock`: the instant it takes for now; `crash_at`: where a
    build with CRASH_POINTS ends."""

    def __init__(self, binary, folder, config, clock=None):
        self.binary, self.folder, self.clock, self.process, self.crash_at = binary, folder, clock, None, None
        folder.mkdir(exist_ok=True)
        self.log_path, self.config_path = folder / "log", folder / "config.json"
        self.configure(config)

    def configure(self, config):
        self.config = config
        self.config_path.write_text(json.dumps(config, indent=1), encoding="utf-8")

    @property
    def environment(self):
        set_for_tests = {"CRM_REPORTD_CLOCK": self.clock, "CRM_REPORTD_CRASH_AT": self.crash_at}
        return os.environ | {name: value for name, value in set_for_tests.items() if value}

    def start(self):
        self.log_begins = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([str(self.binary), "run", "-c", str(self.config_path)], stdout=log, stderr=log, env=self.environment)
        return self

    def said(self):
        """What it logged since it was last started."""
        return self.whole_log().encode()[self.log_begins:].decode(errors="replace").lower()

    def wait_ready(self, timeout=30):
        """Until it reads its partitions."""
        wait_until(lambda: self.alive() and "event=partition_started" in self.said(), lambda: "reading\n" + self.log(), timeout)
        return self

    def says_ready(self):
        """/readyz: it reads, and reaches all of Redis. It must listen."""
        try:
            with urllib.request.urlopen("http://%s/readyz" % self.config["listen"], timeout=20) as answer:
                return answer.status == 200
        except OSError:  # 503, or it does not listen yet
            return False

    def wait_says_ready(self, timeout=30):
        wait_until(lambda: self.alive() and self.says_ready(), lambda: "ready\n" + self.log(), timeout, 0.1)

    def wait_says(self, *words, timeout=30):
        """Until it names one of the words, and lives."""
        wait_until(lambda: self.alive() and any(word in self.said() for word in words), lambda: "one of %s in the log\n%s" % (words, self.log()), timeout)

    def alive(self):
        assert self.process.poll() is None, "the daemon ended with %s:\n%s" % (self.process.returncode, self.log())
        return True

    def send(self, number):
        self.process.send_signal(number)

    def kill(self):
        """kill -9"""
        if self.process and self.process.poll() is None:
            self.send(signal.SIGCONT)
            self.process.kill()
            self.process.wait()

    def terminate(self, timeout=30):
        """SIGTERM; returns (exit status, seconds until it was gone)."""
        began = time.monotonic()
        self.send(signal.SIGTERM)
        return self.process.wait(timeout), time.monotonic() - began

    def whole_log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log(self):
        """The end of it, for messages."""
        return self.whole_log()[-6000:]

    def command(self, *words, stdin=""):
        """Runs another subcommand with the same configuration and clock: (exit status, stdout, stderr)."""
        done = subprocess.run([str(self.binary), words[0], "-c", str(self.config_path), *map(str, words[1:])], input=stdin.encode(),
                              capture_output=True, timeout=600, env=self.environment, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()
