"""The kinds of Redis that a fault run may have: one server, a primary with a replica and sentinels, a cluster."""
import os
import subprocess

from proxy import Proxy
from redis_groups import Cluster, SentinelGroup
from servers import Redis, free_port

DISK_MB = 64  # under a single Redis


class Single:
    """One redis-server on a small disk of its own; each instance reaches it through a proxy. A replica can be made and promoted by hand."""
    kind = "a single Redis"

    def __init__(self, folder):
        self.folder, self.backup, self.servers, self.proxies = folder, folder / "backup", [], []
        self.redis = self.start_redis()

    def start_redis(self):
        server = Redis(self.folder / ("redis%d" % len(self.servers)))
        self.servers.append(server)
        server.own_disk = mount(server.folder)
        server.start()
        return server

    def start_replica(self):
        replica = self.start_redis()
        replica.client.execute_command("REPLICAOF", "127.0.0.1", self.redis_port())
        return replica

    def redis_port(self):
        """Replicas want a port: the primary opens one when it is first asked for."""
        if self.redis.client.config_get("port")["port"] == "0":
            self.redis.client.config_set("port", free_port())
        return self.redis.client.config_get("port")["port"]

    def promote(self, replica):
        self.redis = replica
        for proxy in self.proxies:
            proxy.target = str(replica.socket)
            proxy.cut()

    def url(self):
        """For one more instance."""
        self.proxies.append(Proxy(self.redis.socket))
        return "redis://127.0.0.1:%d" % self.proxies[-1].port

    def heal(self):
        for proxy in self.proxies:
            proxy.heal()

    def close(self):
        for proxy in self.proxies:
            proxy.close()
        for server in self.servers:
            server.stop()
            if server.own_disk:
                subprocess.run(["umount", "-l", server.folder], check=False)


class Group:
    """Several redis-servers, reached without a proxy: who is asked is told by one of them."""

    def __init__(self, made):
        self.redis = made
        try:
            made.start()
        except BaseException:
            made.stop()
            raise

    def url(self):
        return self.redis.url

    def heal(self):
        self.redis.wait_whole()

    def close(self):
        self.redis.stop()


class Watched(Group):
    kind = "a primary with a replica and three sentinels"

    def __init__(self, folder):
        super().__init__(SentinelGroup(folder / "redis"))


class Sharded(Group):
    """With cluster-require-full-coverage no, as `check` advises: a shard that is out leaves the others their work."""
    kind = "a cluster of three primaries with a replica each"

    def __init__(self, folder):
        super().__init__(Cluster(folder / "redis", "--cluster-require-full-coverage", "no"))


def mount(folder):
    """A small disk of its own for a server, where that is permitted (root)."""
    if os.geteuid() != 0:
        return False
    return subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm" % DISK_MB, "none", folder], capture_output=True, check=False).returncode == 0
