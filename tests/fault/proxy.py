"""A proxy on the loopback in front of a unix socket, which can cut connections, delay them, or refuse new ones."""
import socket
import threading
import time


class Proxy:
    def __init__(self, target):
        self.target, self.delay_s, self.cut_after, self.refuses = str(target), 0.0, None, False
        self.open, self.lock = set(), threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                if self.refuses:
                    raise OSError("refused")
                server.connect(self.target)
            except OSError:
                client.close()
                server.close()
                continue
            with self.lock:
                self.open.add((client, server))
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=(one, other, one is client), daemon=True).start()

    def pump(self, one, other, asks):
        """`cut_after`: so many bytes of questions go on, then the connection is cut, perhaps in the middle of one."""
        try:
            while chunk := one.recv(65536):
                if self.delay_s:
                    time.sleep(self.delay_s)
                if asks and self.cut_after is not None:
                    chunk, self.cut_after = chunk[:self.cut_after], self.cut_after - len(chunk)
                    other.sendall(chunk)
                    if self.cut_after <= 0:
                        self.cut_after = None
                        break
                    continue
                other.sendall(chunk)
        except OSError:
            pass
        self.drop(one, other)

    def drop(self, one, other):
        with self.lock:
            self.open -= {(one, other), (other, one)}
        for each in (one, other):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()

    def cut(self):
        with self.lock:
            pairs = list(self.open)
        for pair in pairs:
            self.drop(*pair)

    def heal(self):
        self.delay_s, self.cut_after, self.refuses = 0.0, None, False

    def close(self):
        self.listener.close()
        self.cut()
