"""A daemon with tokens beside the demo: of the same topics, with a prefix of its own in the same Redis."""
import json
import signal
import socket
import subprocess

from demo import wait_until

ALL, ACME, GLOBEX = "all-of-them-0123456789", "acme-only-0123456789", "globex-only-0123456789"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Guarded:
    """Started with the tokens ALL, ACME and GLOBEX; `tokens(...)` are those from now on."""

    def __init__(self, binary, demo, folder):
        settings = json.loads(next(demo.folder.glob("*/settings.json")).read_text())
        self.port, self.file, self.log = free_port(), folder / "tokens", folder / "log"
        self.address = "http://127.0.0.1:%d" % self.port
        settings["kafka"]["group.id"] = "guarded"
        settings |= {"prefix": "guarded", "listen": "127.0.0.1:%d" % self.port, "listen_tokens_file": str(self.file), "alerts": []}
        settings["log"] = {"level": "debug"}
        (folder / "settings.json").write_text(json.dumps(settings))
        self.write(ALL, ACME + " acme", GLOBEX + " globex")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([str(binary), "run", "-c", str(folder / "settings.json")], stdout=log, stderr=log)
        wait_until(lambda: self.process.poll() is not None or "event=http_listens " in self.said(), self.said, 60)
        assert self.process.poll() is None, self.said()

    def said(self):
        return self.log.read_text(errors="replace")

    def write(self, *lines):
        self.file.write_text("".join(line + "\n" for line in lines))

    def tokens(self, *lines):
        before = self.said().count("event=tokens_reloaded")
        self.write(*lines)
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.said().count("event=tokens_reloaded") > before, self.said, 20)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
