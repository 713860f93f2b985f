"""Readers of the HTTP interface: open streams of updates, and requests at a steady rate over kept connections. Cheap, for it shares the
machine with what is measured: one thread, epoll, prepared bytes. Prints one JSON line at the end (SIGTERM).

    http_load.py PORT STREAMS RATE QUERIES TENANT …      QUERIES: the share of requests that are queries; the others are reports
"""
import json
import os
import random
import re
import select
import signal
import socket
import sys
import time

CONNECTIONS = 32
REPORTS = ["service", "conversion", "sales_performance", "sales_activity"]
QUERY = b'{"metric":"revenue","period":"this_month","by":["owner"]}'
LENGTH = re.compile(rb"\r\nContent-Length: (\d+)")
ETAG = re.compile(rb'\r\nETag: ("[^"]*")')


class Connection:
    """One request at a time."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.got, self.since, self.key = b"", 0.0, None

    def send(self, key, data):
        self.key, self.since, self.got = key, time.monotonic(), b""
        self.socket.send(data)

    def read(self):
        """(status, head) of a whole answer, else None."""
        self.got += self.socket.recv(1 << 20)
        end = self.got.find(b"\r\n\r\n")
        if end < 0:
            return None
        head, status = self.got[:end], int(self.got[9:12])
        if status != 304 and len(self.got) - end - 4 < int(LENGTH.search(head)[1]):
            return None
        return status, head


class Load:
    def __init__(self, port, streams, rate, queries, tenants):
        self.port, self.rate, self.queries, self.tenants = port, rate, queries, tenants
        self.rng, self.etags, self.statuses, self.took, self.events, self.late = random.Random(1), {}, {}, [], 0, 0
        self.poll = select.epoll()
        self.streams = {s.fileno(): s for s in (self.stream(n) for n in range(streams))}
        self.idle = [Connection(port) for _ in range(CONNECTIONS)]
        self.connections = {c.socket.fileno(): c for c in self.idle}
        for fd in [*self.streams, *self.connections]:
            self.poll.register(fd, select.EPOLLIN)

    def stream(self, n):
        """Waits for the tenant to be known."""
        while True:
            s = socket.create_connection(("127.0.0.1", self.port))
            s.sendall(b"GET /v1/tenants/%s/updates HTTP/1.1\r\nHost: localhost\r\n\r\n" % self.tenants[n % len(self.tenants)].encode())
            if b" 200 " in s.recv(4096):
                s.setblocking(False)
                return s
            s.close()
            time.sleep(0.05)

    def request(self):
        tenant = self.rng.choice(self.tenants).encode()
        if self.rng.random() < self.queries:
            return None, b"POST /v1/tenants/%s/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (tenant, len(QUERY), QUERY)
        key = b"/v1/tenants/%s/reports/%s" % (tenant, self.rng.choice(REPORTS).encode())
        return key, b"GET %s HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: %s\r\n\r\n" % (key, self.etags.get(key, b'""'))

    def answered(self, connection):
        answer = connection.read()
        if not answer:
            return
        self.took.append(time.monotonic() - connection.since)
        self.statuses[answer[0]] = self.statuses.get(answer[0], 0) + 1
        tag = ETAG.search(answer[1])
        if tag and connection.key:
            self.etags[connection.key] = tag[1]
        self.idle.append(connection)

    def look(self):
        for fd, _ in self.poll.poll(0.002):
            if fd in self.connections:
                self.answered(self.connections[fd])
            else:
                got = self.streams[fd].recv(1 << 16)
                if not got:
                    raise ConnectionError
                self.events += got.count(b"\nevent: ")

    def run(self):
        began, sent, self.over = time.monotonic(), 0, False
        while not self.over:
            due = int((time.monotonic() - began) * self.rate)
            while sent < due and self.idle:
                self.idle.pop().send(*self.request())
                sent += 1
            try:
                self.look()
            except (ConnectionError, IndexError, ValueError):  # the daemon has ended
                break
        seconds = time.monotonic() - began
        took = sorted(self.took) or [0.0]
        use = os.times()
        print(json.dumps({"seconds": seconds, "asked_per_s": sent / seconds, "answered_per_s": len(self.took) / seconds, "statuses": self.statuses,
                          "p50_ms": took[len(took) // 2] * 1e3, "p99_ms": took[len(took) * 99 // 100] * 1e3, "events": self.events,
                          "streams": len(self.streams), "cpu": use.user + use.system}), flush=True)


def connect_first(port):
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)


def main():
    port, streams, rate, queries = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    os.nice(19)  # readers are elsewhere in life
    connect_first(port)
    load = Load(port, streams, rate, queries, sys.argv[5:])
    signal.signal(signal.SIGTERM, lambda *_: setattr(load, "over", True))
    load.run()


if __name__ == "__main__":
    main()
