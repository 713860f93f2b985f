"""Redis in several processes: a primary with a replica that sentinels look after; a cluster."""
import contextlib
import random
import socket
import subprocess
import time

import redis as redis_client

from servers import free_port, wait_until


given = set()


def is_free(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


def cluster_port():
    """One whose bus, 10,000 above, is free, too; both below those that the system gives to whoever connects."""
    while True:
        port = random.randrange(10000, 20000)
        if port not in given and is_free(port) and is_free(port + 10000):
            given.add(port)
            return port


class Tls:
    """A certificate of 127.0.0.1, signed by itself, and how servers and clients are told of it."""

    def __init__(self, folder):
        folder.mkdir()
        self.authority, self.key = folder / "certificate.pem", folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self.key, "-out",
                        self.authority, "-days", "2", "-subj", "/CN=crm-test", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        self.of_client = {"ssl": True, "ssl_ca_certs": str(self.authority)}

    def of_server(self, port):
        """Settings: name and value."""
        return [("port", 0), ("tls-port", port), ("tls-cert-file", self.authority), ("tls-key-file", self.key), ("tls-ca-cert-file", self.authority),
                ("tls-auth-clients", "no"), ("tls-replication", "yes")]


class Node:
    """A redis-server on a port of 127.0.0.1, in a folder of its own. `password`: for clients, and for its primary."""

    def __init__(self, folder, *options, port=None, password="", tls=None):
        self.folder, self.options, self.port, self.password, self.tls = folder, options, port or free_port(), password, tls
        folder.mkdir()

    def listening(self):
        return self.tls.of_server(self.port) if self.tls else [("port", self.port)]

    def connect(self):
        self.client = redis_client.Redis(port=self.port, host="127.0.0.1", decode_responses=True, password=self.password or None,
                                         **(self.tls.of_client if self.tls else {}))

    def start(self):
        argv = ["redis-server", *(word for name, value in self.listening() for word in ("--" + name, value)), "--dir", self.folder, "--save", "", "--logfile", self.folder / "redis.log", "--appendonly", "yes",
                "--appendfsync", "everysec", "--repl-diskless-sync-delay", "0", *self.options]
        if self.password:
            argv += ["--requirepass", self.password, "--masterauth", self.password]
        self.process = subprocess.Popen([str(word) for word in argv])
        self.connect()
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

    def hear_again(self):
        """What `cut_off` undid."""
        self.client.config_set("masteruser", "")
        self.client.config_set("masterauth", self.password)


def raw(node):
    """A client of a node that takes bytes as they are."""
    return redis_client.Redis(port=node.port, host="127.0.0.1", password=node.password or None)


class Sentinel(Node):
    def start(self):
        file = self.folder / "sentinel.conf"
        lines = ["%s %s" % setting for setting in self.listening()] + ["dir %s" % self.folder, "logfile %s/sentinel.log" % self.folder, *self.options]
        file.write_text("\n".join(lines) + "\n")
        self.process = subprocess.Popen(["redis-server", str(file), "--sentinel"])
        self.connect()
        wait_until(self.answers, "the sentinel answers")
        return self


class SentinelGroup:
    """A primary, a replica, three sentinels that call them "crm". `password`: of both; `own_password`: of the sentinels."""

    def __init__(self, folder, password="", own_password="", tls=None):
        folder.mkdir()
        self.primary, self.replica = Node(folder / "a", password=password, tls=tls), Node(folder / "b", password=password, tls=tls)
        look_after = ["sentinel monitor crm 127.0.0.1 %d 2" % self.primary.port, "sentinel down-after-milliseconds crm 2000",
                      "sentinel failover-timeout crm 4000"]
        if password:
            look_after.append("sentinel auth-pass crm %s" % password)
        if own_password:
            look_after += ["requirepass %s" % own_password, "sentinel sentinel-pass %s" % own_password]
        self.sentinels = [Sentinel(folder / ("s%d" % n), *look_after, password=own_password, tls=tls) for n in range(3)]
        self.url = "redis%s-sentinel://%s/crm" % ("s" if tls else "", ",".join("127.0.0.1:%d" % each.port for each in self.sentinels))

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

    def nodes_alive(self):
        return [node for node in (self.primary, self.replica) if node.process.poll() is None]

    def wait_promoted(self):
        self.replica.hear_again()
        wait_until(lambda: self.replica.client.info("replication")["role"] == "master", "the replica is promoted", 60)
        self.primary, self.replica = self.replica, self.primary

    def bring_back(self):
        """The one that was lost, as a replica of the one that took its place."""
        self.replica.start().client.execute_command("REPLICAOF", "127.0.0.1", self.primary.port)

    def wait_whole(self):
        """Until the replica is in step and every sentinel knows who is who: then it may be promoted."""
        def knows(sentinel):
            about = sentinel.client.sentinel_master("crm")
            return about["port"] == self.primary.port and "down" not in about["flags"] and any(
                int(each["port"]) == self.replica.port and "down" not in each["flags"] and "disconnected" not in each["flags"]
                for each in sentinel.client.sentinel_slaves("crm"))
        wait_until(lambda: self.replica.is_in_step() and all(map(knows, self.sentinels)), "sentinels know a replica that is in step", 60, 0.2)

    def stop(self):
        for each in (*self.sentinels, self.primary, self.replica):
            if hasattr(each, "process"):
                each.kill()


class ClusterClient(redis_client.RedisCluster):
    """Answers what the tests ask of one server; while a shard is being taken over, a little later."""

    def mget(self, keys):
        return self.mget_nonatomic(keys)

    def execute_command(self, *words, **more):
        deadline = time.monotonic() + 20
        while True:
            try:
                return super().execute_command(*words, **more)
            except redis_client.exceptions.RedisClusterException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


class Cluster:
    """A Redis Cluster of three primaries with a replica each."""

    def __init__(self, folder, *options, password="", tls=None):
        folder.mkdir()
        self.password, self.tls = password, tls
        options = [*options, "--tls-cluster", "yes"] if tls else options
        self.nodes = [Node(folder / ("n%d" % n), "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-replica-validity-factor", "0",
                           *options, port=cluster_port(), password=password, tls=tls) for n in range(6)]
        self.url = "redis%s-cluster://%s" % ("s" if tls else "", ",".join("127.0.0.1:%d" % node.port for node in self.nodes[:3]))

    def start(self):
        for node in self.nodes:
            node.start()
        self.cli("--cluster", "create", *("127.0.0.1:%d" % node.port for node in self.nodes), "--cluster-replicas", 1, "--cluster-yes")
        wait_until(lambda: all(self.is_whole(node) for node in self.nodes), "all nodes know the cluster", 60, 0.2)
        wait_until(lambda: all(node.is_in_step() for node in self.nodes if not self.is_primary(node)), "replicas are in step", 60, 0.2)
        self.connect()
        return self

    def connect(self):
        def known_to_one():
            for node in self.nodes_alive():
                try:
                    return ClusterClient(host="127.0.0.1", port=node.port, decode_responses=True, password=self.password or None,
                                         **(self.tls.of_client if self.tls else {}))
                except (redis_client.exceptions.RedisError, redis_client.exceptions.RedisClusterException):  # it has not heard of all
                    continue
            return None
        self.client = wait_until(known_to_one, "a node knows who has which slots", 60, 0.2)

    def cli(self, *words):
        secret = ["--no-auth-warning", "-a", self.password] if self.password else []
        secret += ["--tls", "--cacert", str(self.tls.authority)] if self.tls else []
        done = subprocess.run(["redis-cli", *secret, *map(str, words)], capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def is_whole(self, node):
        about = node.client.cluster("info")
        return about["cluster_state"] == "ok" and about["cluster_known_nodes"] == "6" and about["cluster_slots_ok"] == "16384"

    @staticmethod
    def is_primary(node):
        return node.client.info("replication")["role"] == "master"

    def by_port(self, port):
        return next(node for node in self.nodes if node.port == port)

    def primaries(self):
        return [node for node in self.nodes if node.process.poll() is None and self.is_primary(node)]

    @staticmethod
    def id_of(node):
        return node.client.execute_command("CLUSTER", "MYID")

    def owner(self, key):
        """The primary that has the key."""
        slot = self.slot(key)
        for node in self.primaries():
            mine = node.client.execute_command("CLUSTER", "SLOTS")
            for first, last, (_, port, *_), *_ in self.ranges(mine):
                if first <= slot <= last and port == node.port:
                    return node
        return None

    def slot(self, key):
        return self.nodes_alive()[0].client.execute_command("CLUSTER", "KEYSLOT", key)

    def dump(self, key):
        return raw(self.owner(key)).dump(key)

    def restore(self, key, value):
        raw(self.owner(key)).restore(key, 0, value, replace=True)

    @staticmethod
    def ranges(reply):
        """CLUSTER SLOTS as rows; the client may have made a dict of them."""
        if isinstance(reply, dict):
            return [(first, last, about["primary"]) for (first, last), about in reply.items()]
        return reply

    def nodes_alive(self):
        return [node for node in self.nodes if node.process.poll() is None]

    def replica_of(self, primary):
        mine = self.id_of(primary)
        return next(node for node in self.nodes_alive() if not self.is_primary(node) and mine in node.client.execute_command("CLUSTER", "NODES").__str__()
                    and node.client.info("replication")["master_port"] == primary.port)

    def hand_over(self, primary):
        """To its replica, as for maintenance. Redis gives up after five seconds: then it is asked for once more."""
        replica = self.replica_of(primary)

        def handed_over():
            if not self.is_primary(primary):
                return True
            if replica.is_in_step():
                with contextlib.suppress(redis_client.exceptions.ResponseError):  # it is at it
                    replica.client.execute_command("CLUSTER", "FAILOVER")
            return False
        wait_until(handed_over, "the primary has handed over", 60, 1)

    def wait_taken_over(self, replica):
        replica.hear_again()
        wait_until(lambda: self.is_primary(replica), "the replica is promoted", 60, 0.1)
        self.wait_whole()

    def wait_whole(self):
        wait_until(lambda: all(node.client.cluster("info")["cluster_state"] == "ok" for node in self.nodes_alive()), "the cluster is whole", 60, 0.2)
        self.connect()

    def move_slot(self, key, half_way=lambda: None):
        """The key's slot, with all that lies in it, to another primary. `half_way`: called with half of the keys there."""
        source = self.owner(key)
        target = next(node for node in self.primaries() if node is not source)
        slot = source.client.execute_command("CLUSTER", "KEYSLOT", key)
        source_id, target_id = self.id_of(source), self.id_of(target)
        target.client.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        source.client.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
        moved, all_keys = 0, source.client.execute_command("CLUSTER", "COUNTKEYSINSLOT", slot)
        while keys := source.client.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 2):
            source.client.execute_command("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
            if moved < all_keys / 2 <= moved + len(keys):
                half_way()
            moved += len(keys)
        for node in (target, source, *self.primaries()):
            node.client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", target_id)
        return moved

    def stop(self):
        for node in self.nodes:
            if hasattr(node, "process"):
                node.kill()
