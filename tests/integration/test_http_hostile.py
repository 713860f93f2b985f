"""Requests as nobody should send them, to a daemon under the address sanitizer: each gets a proper answer or a closed connection, and
the daemon serves on; and what a token opens, on every route."""
import base64
import http.client
import json
import random
import re
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from asking import Http
from servers import Daemon, free_port, wait_until

HOST = b"Host: localhost\r\n"


def post(body, *headers, path=b"/v1/tenants/acme/query"):
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + b"".join(h + b"\r\n" for h in headers) + b"\r\n" + body


def sized(body, **how):
    return post(body, b"Content-Length: %d" % len(body), **how)


def get(path, *headers, version=b"HTTP/1.1"):
    return b"GET " + path + b" " + version + b"\r\n" + HOST + b"".join(h + b"\r\n" for h in headers) + b"\r\n"


def chunked(*chunks, headers=(b"Transfer-Encoding: chunked",)):
    return post(b"".join(chunks), *headers)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


QUERY = b'{"metric":"leads"}'
DEEP = b"[" * 30000 + b"]" * 30000

# name: (bytes, statuses that are fine; 0 = closed without an answer)
BAD = (400, 0)
CASES = {
    # not HTTP
    "nothing but a newline": (b"\r\n\r\n", BAD),
    "binary": (bytes(range(256)) * 8, BAD),
    "zeros": (b"\0" * 4096, BAD),
    "TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x11" * 512, BAD),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 404, 405, 505, 0)),
    "RESP": (b"*1\r\n$4\r\nPING\r\n", BAD),
    "only a word": (b"GET\r\n\r\n", BAD),
    "no version": (b"GET /healthz\r\n\r\n", (200, 400, 0)),
    "version 0.9": (get(b"/healthz", version=b"HTTP/0.9"), (200, 400, 505, 0)),
    "version 9.9": (get(b"/healthz", version=b"HTTP/9.9"), (200, 400, 505, 0)),
    "version that is none": (get(b"/healthz", version=b"SPDY"), BAD),
    "spaces before the method": (b"   " + get(b"/healthz"), (200, 400, 404, 405, 0)),
    "tab between": (b"GET\t/healthz\tHTTP/1.1\r\n" + HOST + b"\r\n", (200, 400, 404, 405, 0)),
    "lines end with LF": (b"GET /healthz HTTP/1.1\nHost: localhost\n\n", (200, 400, 0)),
    "lines end with CR": (b"GET /healthz HTTP/1.1\rHost: localhost\r\r", BAD + (200,)),
    # request line
    "long method": (b"G" * 20000 + b" / HTTP/1.1\r\n\r\n", (400, 414, 431, 0)),
    "unknown method": (b"FROBNICATE /healthz HTTP/1.1\r\n" + HOST + b"\r\n", (405, 501)),
    "TRACE": (b"TRACE /healthz HTTP/1.1\r\n" + HOST + b"\r\n", (405,)),
    "CONNECT": (b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n", (404, 405)),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", (404, 405)),
    "absolute form": (get(b"http://evil.example/v1/tenants"), (404,)),
    "long path": (get(b"/" + b"a" * 60000), (400, 414, 431, 0)),
    "many arguments": (get(b"/v1/tenants?" + b"&".join(b"a%d=1" % n for n in range(900))), (400, 414, 431, 0)),
    "empty argument": (get(b"/v1/tenants?=&&=&"), (400,)),
    "climbing": (get(b"/../../../../etc/passwd"), (404,)),
    "climbing, encoded": (get(b"/%2e%2e/%2e%2e/etc/passwd"), (404,)),
    "climbing, twice encoded": (get(b"/%252e%252e%252fetc%252fpasswd"), (404,)),
    "NUL in the path": (get(b"/v1/tenants/acme%00/reports"), (400, 404)),
    "bad escapes": (get(b"/v1/tenants/%zz%/reports%"), (400, 404)),
    "bytes above 127": (get(b"/v1/tenants/\xff\xfe\xc3/reports"), (400, 404, 0)),
    "newline in a name": (get(b"/v1/tenants/a%0d%0aSet-Cookie:%20x/reports"), (404,)),
    "braces in a name": (get(b"/v1/tenants/%7Bacme%7D/reports"), (404,)),
    "glob in a name": (get(b"/v1/tenants/*/reports"), (404,)),
    "long name": (get(b"/v1/tenants/" + b"a" * 65 + b"/reports"), (404,)),
    "markup in a report's name": (get(b"/v1/tenants/acme/reports/<script>alert(1)</script>"), (404,)),
    # headers
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", (400, 0)),
    "two hosts": (get(b"/healthz", b"Host: evil.example"), (200, 400, 421, 0)),
    "other host": (b"GET /v1/tenants HTTP/1.1\r\nHost: evil.example\r\n\r\n", (421,)),
    "host that looks local": (b"GET /v1/tenants HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", (421,)),
    "host that begins like this one": (b"GET /v1/tenants HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n", (421,)),
    "host that begins like this one, with a port": (b"GET /v1/tenants HTTP/1.1\r\nHost: 127.evil.example:80\r\n\r\n", (421,)),
    "host with another port": (b"GET /v1/tenants HTTP/1.1\r\nHost: 127.0.0.2:99\r\n\r\n", (200,)),
    "host of version 6": (b"GET /v1/tenants HTTP/1.1\r\nHost: [::1]:8380\r\n\r\n", (200,)),
    "host of nothing": (b"GET /v1/tenants HTTP/1.1\r\nHost:\r\n\r\n", (200, 400, 421)),
    "header without colon": (get(b"/healthz", b"nonsense"), BAD + (200,)),
    "header without name": (get(b"/healthz", b": value"), BAD + (200,)),
    "folded header": (get(b"/healthz", b"X-A: b", b"  folded"), BAD + (200,)),
    "NUL in a header": (get(b"/healthz", b"X-A: a\0b"), BAD + (200,)),
    "huge header": (get(b"/healthz", b"X-A: " + b"a" * 100000), (400, 413, 431, 0)),
    "many headers": (get(b"/healthz", *(b"X-%d: y" % n for n in range(5000))), (400, 413, 431, 0)),
    "garbage in Authorization": (get(b"/v1/tenants", b"Authorization: Basic !!!!"), (200,)),
    "long Authorization": (get(b"/v1/tenants", b"Authorization: Bearer " + b"x" * 9000), (200, 431)),
    "garbage in If-None-Match": (get(b"/v1/catalogue", b"If-None-Match: \"\"\",,,W/"), (200,)),
    "garbage in Last-Event-ID": (get(b"/v1/tenants/nobody/updates", b"Last-Event-ID: " + b"9" * 500), (404,)),
    # bodies
    "no length": (post(b""), (400, 411)),
    "negative length": (post(QUERY, b"Content-Length: -5"), BAD),
    "length that is no number": (post(QUERY, b"Content-Length: many"), BAD),
    "length beyond all numbers": (post(QUERY, b"Content-Length: 99999999999999999999999999"), (400, 413, 0)),
    "length beyond what is taken": (post(b"x", b"Content-Length: 4000000000"), (413,)),
    "body too large": (sized(b" " * 66000), (413, 0)),
    "body far too large": (sized(b"x" * 5_000_000), (413, 0)),
    "two lengths": (post(QUERY, b"Content-Length: 18", b"Content-Length: 5"), BAD + (200, 404)),
    "length and chunks": (chunked(chunk(QUERY), b"0\r\n\r\n", headers=(b"Transfer-Encoding: chunked", b"Content-Length: 3")), (200, 400, 404, 0)),
    "chunks beyond what is taken": (chunked(*[chunk(b"x" * 8000)] * 400, b"0\r\n\r\n"), (413,)),
    "chunk of no size": (chunked(b"zz\r\nabc\r\n0\r\n\r\n"), BAD),
    "chunk of all sizes": (chunked(b"ffffffffffffffffffff\r\nabc\r\n"), (400, 413, 0)),
    "chunk without its end": (chunked(b"3\r\nabcdefg\r\n0\r\n\r\n"), BAD),
    "unknown coding": (post(QUERY, b"Transfer-Encoding: gzip, bogus"), (400, 501, 0)),
    "body of zeros": (sized(b"\0" * 1000), (400,)),
    "not JSON": (sized(b"metric=leads"), (400,)),
    "half of JSON": (sized(QUERY[:-3]), (400,)),
    "nested deeply": (sized(DEEP), (400,)),
    "not UTF-8": (sized(b'{"metric":"\xff\xfe"}'), (400,)),
    "a list of everything": (sized(b'{"metric":"leads","by":[' + b",".join([b'"owner"'] * 5000) + b"]}"), (400,)),
    "values without end": (sized(b'{"metric":"leads","where":{"owner":[' + b",".join([b'"x"'] * 12000) + b"]}}"), (200, 400)),
    "names a key twice": (sized(b'{"metric":"leads","metric":"revenue"}'), (200, 400)),
    "number for a text": (sized(b'{"metric":1e999}'), (400,)),
    "body on GET": (b"GET /v1/tenants HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello", (200,)),
    "expects": (post(QUERY, b"Content-Length: 18", b"Expect: 100-continue"), (100, 200, 404, 417)),
    "expects the impossible": (post(QUERY, b"Content-Length: 18", b"Expect: a miracle"), (200, 400, 404, 417)),
    "upgrade": (get(b"/healthz", b"Connection: Upgrade", b"Upgrade: websocket"), (200, 400)),
}
PIPELINED = {
    "three at once": (get(b"/healthz") * 3, [200, 200, 200]),
    "a hundred at once": (get(b"/healthz") * 100, [200] * 100),
    "clerks in between": (get(b"/v1/tenants") + get(b"/healthz") + sized(QUERY) + get(b"/nothing"), [200, 200, 200, 404]),
    "bodies one after the other": (sized(QUERY) * 5 + sized(b"{}"), [200] * 5 + [400]),
    "garbage behind": (get(b"/healthz") + b"\x01\x02\x03\r\n\r\n", None),
    "a refusal in between": (get(b"/nothing") + get(b"/healthz"), [404, 200]),
}


@pytest.fixture(scope="module")
def sanitized(binary):
    path = binary.parent.parent / "sanitize" / "crm-reportd"
    assert path.exists(), "no %s: cmake -DSANITIZE=ON" % path
    return path


@pytest.fixture(scope="module")
def redis_alone(tmp_path_factory):
    from servers import Redis
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


def start(sanitized, folder, redis, **settings):
    """A daemon whose Kafka is not there: HTTP does not need it."""
    port = free_port()
    config = {"kafka": {"bootstrap.servers": "127.0.0.1:1"}, "redis": {"url": redis.url}, "listen": "127.0.0.1:%d" % port,
              "tenants": {"acme": {}, "globex": {}}} | settings
    one = Daemon(sanitized, folder, config)
    one.start()
    one.http = Http(port)

    def answers():
        try:
            return one.alive() and one.http.ask("/healthz").status == 200
        except OSError:
            return False
    wait_until(answers, "the daemon answers", 60)
    return one


def end(one):
    """It ends by itself, and nothing was wrong on the way."""
    status, _ = one.terminate(60)
    log = one.whole_log()
    assert "Sanitizer" not in log and "runtime error" not in log, log[-5000:]
    assert status == 0, log[-3000:]


@pytest.fixture(scope="module")
def hostile(sanitized, redis_alone, tmp_path_factory):
    one = start(sanitized, tmp_path_factory.mktemp("hostile"), redis_alone)
    yield one
    end(one)


def talk(port, data, wait=20.0):
    """Sends; when nothing more comes, says that it has no more to say; returns all that came and whether the connection was closed."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        got, end, said_all = b"", time.monotonic() + wait, False
        try:
            s.sendall(data)
            s.settimeout(1.0)
            while time.monotonic() < end:
                try:
                    part = s.recv(65536)
                except socket.timeout:
                    if not said_all:
                        s.shutdown(socket.SHUT_WR)
                    said_all = True
                    continue
                if not part:
                    return got, True
                got += part
            return got, False
        except OSError:  # it was closed while we spoke
            return got, True


STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


def statuses(got):
    """Of the answers in a row; each must be whole."""
    found = []
    while got:
        head, _, rest = got.partition(b"\r\n\r\n")
        assert STATUS.match(head), got[:200]
        found.append(int(STATUS.match(head)[1]))
        length = re.search(rb"\r\nContent-Length: (\d+)", head, re.I)
        body = int(length[1]) if length else 0 if found[-1] == 100 else len(rest)
        assert len(rest) >= body, "cut off: %r" % got[:300]
        if found[-1] >= 400 and b"problem+json" in head:
            assert json.loads(rest[:body])["status"] == found[-1]
        got = b"" if b"\r\nConnection: close" in head else rest[body:]  # libmicrohttpd 0.9.75 says its own refusals' heads twice
    return found


def talk_all(port, requests):
    """All of them, several at once: some are only closed after a while."""
    with ThreadPoolExecutor(24) as pool:
        return list(pool.map(lambda data: talk(port, data), requests))


@pytest.fixture(scope="module")
def said(hostile):
    return dict(zip(CASES, talk_all(hostile.http.port, [data for data, _ in CASES.values()]), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_one_bad_request(hostile, said, name):
    fine = CASES[name][1]
    got, closed = said[name]
    assert closed, "still open after %r" % got[:200]
    found = statuses(got)
    assert (found[0] if found else 0) in fine, got[:500]
    assert hostile.http.ask("/healthz").status == 200 and hostile.alive()


@pytest.mark.parametrize("name", PIPELINED)
def test_pipelined(hostile, name):
    data, want = PIPELINED[name]
    with socket.create_connection(("127.0.0.1", hostile.http.port), timeout=10) as s:
        s.sendall(data)
        got = b""
        while want is None or len(STATUS.findall(got)) < len(want) or not whole(got):
            part = s.recv(65536)
            if not part:
                break
            got += part
    found = statuses(got)
    assert found == want if want else found[0] == 200
    assert hostile.http.ask("/healthz").status == 200


def whole(got):
    try:
        statuses(got)
        return True
    except (AssertionError, ValueError):
        return False


def test_cut_off_anywhere(hostile):
    """Any beginning of a good request, then the end of the connection; and the same with a reset."""
    for good in (get(b"/v1/tenants/acme/reports/service?format=csv", b"If-None-Match: \"1\""), sized(QUERY), chunked(chunk(QUERY), b"0\r\n\r\n"),
                 get(b"/v1/tenants/acme/updates")):
        for cut in range(0, len(good), 7):
            with socket.create_connection(("127.0.0.1", hostile.http.port)) as s:
                s.sendall(good[:cut])
                if cut % 2:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert hostile.http.ask("/healthz").status == 200


def test_random_damage(hostile):
    rng = random.Random(7)
    good = [get(b"/v1/tenants/acme/reports"), sized(QUERY), get(b"/v1/catalogue"), chunked(chunk(QUERY), b"0\r\n\r\n")]
    damaged = [bytearray(rng.choice(good)) for _ in range(400)]
    for data in damaged:
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
    for data, (got, closed) in zip(damaged, talk_all(hostile.http.port, damaged), strict=True):
        assert closed, (data, got[:200])
        statuses(got)
    assert hostile.http.ask("/healthz").status == 200


def test_slow_ones(hostile):
    """Byte by byte, never ending, never reading: each connection is ended in time, the others are served meanwhile."""
    port, ended = hostile.http.port, {}

    def slow(name, data, pause, limit):
        began, got = time.monotonic(), b""
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.setblocking(False)
            for byte in data:
                time.sleep(pause)
                try:
                    got += s.recv(65536) or b"!"
                except BlockingIOError:
                    pass
                except OSError:
                    got += b"!"
                if got.endswith(b"!") or time.monotonic() - began > limit:
                    break
                try:
                    s.send(bytes([byte]))
                except OSError:
                    break
        ended[name] = (time.monotonic() - began, got)

    def silent():
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", port), timeout=60) as s:
            s.sendall(b"GET /heal")
            got = b""
            while part := s.recv(65536):
                got += part
        ended["silent"] = (time.monotonic() - began, got)

    threads = [threading.Thread(target=silent), threading.Thread(target=slow, args=("header", get(b"/" + b"a" * 500), 0.5, 50)),
               threading.Thread(target=slow, args=("body", post(b"x" * 500, b"Content-Length: 500"), 0.25, 50))]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        at = time.monotonic()
        assert hostile.http.ask("/healthz").status == 200 and time.monotonic() - at < 3
        time.sleep(1)
    for name, (seconds, got) in ended.items():
        assert seconds < 45, (name, seconds)
        assert not got or b"408" in got or got == b"!", (name, got[:200])
    assert b"408 Request Timeout" in ended["header"][1] + ended["body"][1]


def test_many_connections(hostile):
    """More than it takes at once: some wait, none is lost, and afterwards it serves as before."""
    held = [socket.create_connection(("127.0.0.1", hostile.http.port), timeout=10) for _ in range(300)]
    assert hostile.http.ask("/healthz").status == 200
    for s in held:
        s.sendall(get(b"/v1/tenants/acme/updates"))
    for s in held:
        assert s.recv(20).startswith(b"HTTP/1.1 200")
    assert hostile.http.ask("/v1/tenants").status == 200
    for s in held:
        s.close()
    assert hostile.http.ask("/healthz").status == 200


def test_ends_with_streams_open(sanitized, redis_alone, tmp_path):
    one = start(sanitized, tmp_path, redis_alone)
    held = [socket.create_connection(("127.0.0.1", one.http.port), timeout=10) for _ in range(20)]
    for s in held:
        s.sendall(get(b"/v1/tenants/acme/updates"))
        assert s.recv(20).startswith(b"HTTP/1.1 200")
    end(one)


def test_ends_while_it_is_asked(sanitized, redis_alone, tmp_path):
    """Requests go on coming while it ends: each is answered or refused."""
    one, over, seen = start(sanitized, tmp_path, redis_alone), threading.Event(), set()

    def ask():
        while not over.is_set():
            try:
                with socket.create_connection(("127.0.0.1", one.http.port), timeout=10) as s:
                    while True:
                        s.sendall(get(b"/v1/tenants/acme/reports") + sized(QUERY))
                        got = s.recv(65536)
                        if not got:
                            break
                        seen.add(int(STATUS.match(got)[1]))
            except OSError:
                time.sleep(0.01)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    wait_until(lambda: 200 in seen, "answers")
    end(one)
    over.set()
    for thread in threads:
        thread.join()
    assert seen <= {200, 503}


def test_an_address_that_is_taken_is_waited_for(sanitized, redis_alone, tmp_path):
    """The daemon's work comes first: it starts all the same, says so once, and serves as soon as it can."""
    first = start(sanitized, tmp_path / "first", redis_alone)
    second = Daemon(sanitized, tmp_path / "second", first.config).start()
    second.wait_says("event=http_waits")
    time.sleep(2.5)
    assert second.said().count("http_waits") == 1 and second.alive()
    end(first)
    second.wait_says("event=http_listens ")
    assert first.http.ask("/healthz").status == 200
    end(second)


# ---- tokens ----

ALL, ACME, GLOBEX = "all-of-them-0123456789", "acme-only-0123456789", "globex-only-0123456789"
ROUTES = [("GET", "/v1/tenants/%s/reports", None), ("GET", "/v1/tenants/%s/reports/service", None),
          ("GET", "/v1/tenants/%s/reports/service?format=csv", None), ("POST", "/v1/tenants/%s/query", '{"metric":"leads"}'),
          ("POST", "/v1/tenants/%s/query?format=csv", '{"metric":"leads"}'),
          ("POST", "/v1/tenants/%s/explain", '{"metric":"leads"}'), ("GET", "/v1/tenants/%s/updates", None), ("GET", "/v1/tenants/%s/alerts", None),
          ("HEAD", "/v1/tenants/%s/reports/service", None), ("HEAD", "/v1/tenants/%s/updates", None)]
OPEN = ["/healthz", "/readyz"]


@pytest.fixture(scope="module")
def guarded(sanitized, redis_alone, tmp_path_factory):
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "tokens").write_text("# who may ask\n%s\n%s acme\n\n%s globex\n" % (ALL, ACME, GLOBEX))
    redis_alone.client.sadd("crm:tenants", "acme", "globex", "secret")
    redis_alone.client.hset("crm:{globex}:state", "version", "5")
    redis_alone.client.set("crm:{globex}:report:service", '{"report":"service","tenant":"globex","version":5,"sections":[]}')
    one = start(sanitized, folder, redis_alone, listen_tokens_file="tokens")
    yield one
    end(one)


def described(http):
    return json.loads(Http(http.port, ALL).ask("/v1/openapi.json").text)["paths"]


def test_every_tenants_route_is_tried(guarded):
    """The description names no route of tenants that ROUTES does not."""
    tried = {(method, path.split("?")[0].replace("%s", "{tenant}").replace("/service", "/{report}")) for method, path, _ in ROUTES}
    for path, methods in described(guarded.http).items():
        for method in (m.upper() for m in methods if m in ("get", "post", "put", "delete")):
            assert "{tenant}" not in path or (method, path) in tried, (method, path)


@pytest.mark.parametrize("method, path, body", ROUTES)
def test_a_token_opens_its_tenant_only(guarded, method, path, body):
    port = guarded.http.port
    for other in ("globex", "secret", "nobody", "default", "acme%2F..%2Fglobex", "ACME", "acme%00"):
        for headers in ({}, {"Last-Event-ID": "0"}, {"X-Tenant": "globex"}):
            answer = Http(port, ACME).ask(path % other, method, body, **headers)
            assert answer.status in (403, 404), (path % other, answer.status)
            assert "globex\"" not in answer.text.replace("\"tenant\":", "")
    for token in (None, "", "wrong", ACME + "x", ACME[:-1], "x" * 5000, ACME.upper()):
        answer = Http(port, token).ask(path % "acme", method, body)
        assert answer.status == 401 and "Bearer" in ",".join(answer.headers.get_all("WWW-Authenticate")), (token, answer.status)
    if "updates" not in path or method == "HEAD":
        assert Http(port, ACME).ask(path % "acme", method, body).status in (200, 404)
        assert Http(port, ALL).ask(path % "globex", method, body).status == 200
        basic = "Basic " + base64.b64encode(("anybody:" + ACME).encode()).decode()
        assert Http(port).ask(path % "acme", method, body, Authorization=basic).status in (200, 404)
        assert Http(port).ask(path % "globex", method, body, Authorization=basic).status == 403


def test_what_is_for_everybody_and_what_for_all(guarded):
    port = guarded.http.port
    names = lambda token: [one["tenant"] for one in Http(port, token).json("/v1/tenants")["tenants"]]
    assert names(ACME) == ["acme"] and names(GLOBEX) == ["globex"] and set(names(ALL)) >= {"acme", "globex", "secret"}
    for path in OPEN:
        assert Http(port).ask(path).status in (200, 503)
    for path in ("/", "/app.js", "/style.css"):  # the page, without a number in it: it asks for the token
        assert Http(port).ask(path).status == 200
    for path in ("/v1/catalogue", "/v1/openapi.json", "/metrics", "/v1/tenants"):
        assert Http(port).problem(path) == (401, "token_needed") and Http(port, "not-a-token-0123456789").problem(path) == (401, "token_unknown")
        assert Http(port, ALL).ask(path).status == 200
    challenges = lambda **headers: Http(port).ask("/v1/tenants", **headers).headers.get_all("WWW-Authenticate")
    assert [one.split()[0] for one in challenges()] == ["Basic", "Bearer"]
    assert [one.split()[0] for one in challenges(X_Requested_With="page")] == ["Bearer"]  # a page's script: no browser is to ask
    assert Http(port, ACME).ask("/metrics").status == 403 and Http(port, ACME).ask("/v1/catalogue").status == 200
    body = '{"metric":"leads","tenant":"globex"}'
    assert Http(port, ACME).ask("/v1/tenants/acme/query", "POST", body).status == 400


def stream(port, token):
    """An open stream of updates of acme, its first bytes read."""
    one = socket.create_connection(("127.0.0.1", port), timeout=10)
    one.sendall(b"GET /v1/tenants/acme/updates HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n" % token.encode())
    assert b" 200 " in one.recv(4096)
    return one


def ends(one, seconds):
    """Does the stream end (with its last chunk, or the connection)?"""
    one.settimeout(seconds)
    try:
        while (got := one.recv(4096)) and not got.endswith(b"\r\n0\r\n\r\n") and got != b"0\r\n\r\n":
            pass
        return True
    except TimeoutError:
        return False


def lasting_stream(port, token, redis):
    """One that has told two hints. Streams that were open before the daemon has subscribed end then: who follows may have missed something."""
    one, told = stream(port, token), 0
    for version in range(6, 100):
        redis.client.publish("crm:{acme}:reports", '{"report":"service","version":%d}' % version)
        one.settimeout(0.5)
        try:
            got = one.recv(4096)
        except TimeoutError:
            continue
        told += b"event: report" in got
        if not got or got.endswith(b"0\r\n\r\n"):
            one, told = stream(port, token), 0
        elif told == 2:
            return one
    raise AssertionError("the daemon hears no hints")


def test_tokens_are_renewed_while_it_runs(sanitized, redis_alone, tmp_path):
    """SIGHUP: who has a token that stays notices nothing; a stream of one that is gone ends; a wrong file changes nothing."""
    file, anew = tmp_path / "tokens", "acme-anew-0123456789"
    file.write_text("%s\n%s acme\n" % (ALL, ACME))
    redis_alone.client.hset("crm:{acme}:state", "version", "5")
    one = start(sanitized, tmp_path, redis_alone, listen_tokens_file="tokens")
    port = one.http.port
    kept, gone = lasting_stream(port, ALL, redis_alone), lasting_stream(port, ACME, redis_alone)
    waiting = http.client.HTTPConnection("127.0.0.1", port, timeout=20)  # kept open over it
    ask = lambda token: (waiting.request("GET", "/v1/tenants", headers={"Authorization": "Bearer " + token}), waiting.getresponse())[1]

    def renew(text, event):
        before = one.said().count(event)
        file.write_text(text)
        one.send(signal.SIGHUP)
        wait_until(lambda: one.said().count(event) > before, event, 20)

    for wrong in ("short\n", "", "%s acme globex\n" % anew):
        renew(wrong, "event=settings_wrong")
        assert Http(port, ACME).ask("/v1/tenants").status == 200 and Http(port, anew).ask("/v1/tenants").status == 401
    answer = ask(ACME)
    assert answer.status == 200 and answer.read()
    renew("%s\n%s acme\n" % (ALL, anew), "event=tokens_reloaded")
    assert ends(gone, 10) and not ends(kept, 1.5)
    answer = ask(ACME)
    assert answer.status == 401 and answer.read()
    answer = ask(anew)  # the same connection
    assert [row["tenant"] for row in json.loads(answer.read())["tenants"]] == ["acme"]
    other = tmp_path / "others"  # and another file
    other.write_text("%s\n" % anew)
    one.configure(one.config | {"listen_tokens_file": "others"})
    renew("%s\n" % ALL, "event=tokens_reloaded")
    assert ends(kept, 10) and Http(port, anew).ask("/metrics").status == 200 and Http(port, ALL).ask("/metrics").status == 401
    one.configure({name: value for name, value in one.config.items() if name != "listen_tokens_file"})
    renew("", "event=tokens_reloaded")
    assert Http(port).ask("/metrics").status == 200  # none: everything is open, on this machine
    end(one)
    assert not any(token in one.whole_log() for token in (ALL, ACME, anew))


def test_other_machines_need_a_token(sanitized, redis_alone, tmp_path):
    for settings, word in (({"listen": "0.0.0.0:%d" % free_port()}, "listen_tokens_file"),
                           ({"listen_tokens_file": "missing"}, "missing"), ({"listen_tokens_file": "short"}, "characters"),
                           ({"listen_tokens_file": "words"}, "TOKEN TENANT"), ({"listen_tokens_file": "empty"}, "no token")):
        for name, text in (("short", "abc\n"), ("words", "a-long-enough-token acme globex\n"), ("empty", "# nobody\n")):
            (tmp_path / name).write_text(text)
        config = {"kafka": {"bootstrap.servers": "127.0.0.1:1"}, "redis": {"url": redis_alone.url}} | settings
        one = Daemon(sanitized, tmp_path, config)
        status, out, _ = one.command("check", "--offline")
        assert status == 2 and word in out, out
        one.start()
        assert one.process.wait(30) == 2 and word in one.log(), one.log()
        assert "a-long-enough-token" not in one.log() + out
