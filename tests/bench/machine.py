"""What a benchmark needs of the machine: CPU seconds of processes, memory, and servers whose cost is measured."""
import os
import signal
import sys
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
TREE = BENCH.parent.parent
sys.path.insert(0, str(BENCH.parent / "integration"))

from servers import Daemon, Kafka, Redis  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def process_cpu(pid):
    """CPU seconds, user and system, of a running process."""
    fields = Path("/proc/%d/stat" % pid).read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def threads_cpu(pid):
    """{name of a thread: CPU seconds}, those of one name together."""
    found = {}
    for task in Path("/proc/%d/task" % pid).iterdir():
        name = (task / "comm").read_text(encoding="ascii").strip()
        used = int((task / "schedstat").read_text(encoding="ascii").split()[0]) / 1e9
        found[name] = found.get(name, 0) + used
    return found


class MeasuredKafka(Kafka):
    def cpu(self):
        return process_cpu(int((Path(self.folder) / "pid").read_text(encoding="ascii")))


class MeasuredRedis(Redis):
    def cpu(self):
        """With its children: they rewrite the append-only file."""
        info = self.client.info("cpu")
        return sum(value for name, value in info.items() if name.startswith("used_cpu_") and "main_thread" not in name)

    def calls(self):
        """{command: (how often, seconds within)}"""
        return {name.removeprefix("cmdstat_"): (row["calls"], row["usec"] / 1e6) for name, row in self.client.info("commandstats").items()}

    def size(self):
        return {"keys": self.client.dbsize(), "redis_mib": self.client.info("memory")["used_memory"] / 2**20}


class MeasuredDaemon(Daemon):
    def cpu(self):
        return process_cpu(self.process.pid)

    def threads(self):
        return threads_cpu(self.process.pid)

    def memory(self, name):
        """MiB, by a line of the system's account of it; None: it has none."""
        for line in Path("/proc/%d/status" % self.process.pid).read_text(encoding="ascii").splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1024
        return None

    def mib(self):
        return self.memory("VmRSS")

    def peak_mib(self):
        """Its own peak: that of wait4 counts what it was forked from, too."""
        return self.memory("VmHWM")

    def finish(self, timeout=60):
        """SIGTERM; {cpu, rss_mib, stop}: CPU seconds and largest memory of its whole life, seconds until it was gone."""
        began, peak_mib = time.monotonic(), self.peak_mib()
        self.process.send_signal(signal.SIGTERM)
        while True:
            pid, status, use = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                break
            assert time.monotonic() - began < timeout, "the daemon does not end:\n" + self.log()
            time.sleep(0.01)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        assert self.process.returncode == 0, "the daemon ended with %s:\n%s" % (self.process.returncode, self.log())
        return {"cpu": use.ru_utime + use.ru_stime, "rss_mib": peak_mib, "stop": time.monotonic() - began}
