"""Redis in several processes: a primary with a replica that sentinels look after."""
import subprocess

import redis as redis_client

from servers import free_port, wait_until


class Node:
    """A redis-server on a port of 127.0.0.1, in a folder of its own."""

    def __init__(self, folder, *options):
        self.folder, self.options, self.port = folder, options, free_port()
        folder.mkdir()

    def start(self):
        argv = ["redis-server", "--port", self.port, "--dir", self.folder, "--save", "", "--logfile", self.folder / "redis.log", "--appendonly", "yes",
                "--appendfsync", "everysec", "--repl-diskless-sync-delay", "0", *self.options]
        self.process = subprocess.Popen([str(word) for word in argv])
        self.client = redis_client.Redis(port=self.port, decode_responses=True)
        wait_until(self.answers, "Redis answers")
        return self

    def answers(self):
        try:
            return self.client.ping()
        except redis_client.exceptions.RedisError:
            return False

    def is_in_step(self):
        return self.client.info("replication").get("master_link_status") == "up"

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def cut_off(self, primary):
        """As a replica: hears no more of its primary. It may still be promoted."""
        self.client.config_set("masteruser", "nobody")
        self.client.config_set("masterauth", "wrong")
        primary.client.execute_command("CLIENT", "KILL", "TYPE", "replica")
        wait_until(lambda: not self.is_in_step(), "the replica is cut off")


class Sentinel(Node):
    def start(self):
        file = self.folder / "sentinel.conf"
        file.write_text("port %d\ndir %s\nlogfile %s/sentinel.log\n" % (self.port, self.folder, self.folder) + "\n".join(self.options) + "\n")
        self.process = subprocess.Popen(["redis-server", str(file), "--sentinel"])
        self.client = redis_client.Redis(port=self.port, decode_responses=True)
        wait_until(self.answers, "the sentinel answers")
        return self


class SentinelGroup:
    """A primary, a replica, three sentinels that call them "crm"."""

    def __init__(self, folder):
        folder.mkdir()
        self.primary, self.replica = Node(folder / "a"), Node(folder / "b")
        look_after = ["sentinel monitor crm 127.0.0.1 %d 2" % self.primary.port, "sentinel down-after-milliseconds crm 2000",
                      "sentinel failover-timeout crm 4000"]
        self.sentinels = [Sentinel(folder / ("s%d" % n), *look_after) for n in range(3)]
        self.url = "redis-sentinel://%s/crm" % ",".join("127.0.0.1:%d" % each.port for each in self.sentinels)

    def start(self):
        self.primary.start()
        self.replica.start().client.execute_command("REPLICAOF", "127.0.0.1", self.primary.port)
        wait_until(self.replica.is_in_step, "the replica is in step", 30)
        for each in self.sentinels:
            each.start()
        wait_until(lambda: all(self.knows_all(each) for each in self.sentinels), "sentinels know each other and the replica", 60, 0.2)
        return self

    def knows_all(self, sentinel):
        about = sentinel.client.sentinel_master("crm")
        return about["num-other-sentinels"] == 2 and about["num-slaves"] == 1

    @property
    def client(self):
        """A client of whoever is the primary now."""
        return self.primary.client

    def wait_promoted(self):
        self.replica.client.config_set("masteruser", "")
        wait_until(lambda: self.replica.client.info("replication")["role"] == "master", "the replica is promoted", 60)
        self.primary, self.replica = self.replica, self.primary

    def stop(self):
        for each in (*self.sentinels, self.primary, self.replica):
            if hasattr(each, "process"):
                each.kill()
