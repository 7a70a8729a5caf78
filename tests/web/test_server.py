"""The server answers its own page alone, within its bounds."""

import gzip
import json
import random
import socket
import time

import pytest
from web.serving import played


@pytest.fixture(scope="module")
def server():
    with played() as found:
        found.open()
        yield found


@pytest.fixture(scope="module")
def state(server):
    status, answer = server.api({"action": "open"})
    assert status == 200
    return answer["state"]


def test_the_token_opens_and_the_cookie_stays(server):
    headers = server.open()
    cookie = headers["Set-Cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    policy = headers["Content-Security-Policy"]
    scripts = policy.partition("script-src")[2].partition(";")[0]
    assert scripts.strip() == "'self'" and "default-src 'none'" in policy
    assert "Access-Control-Allow-Origin" not in headers
    assert server.ask(Cookie=server.cookie)[0] == 200
    assert server.token not in server.cookie


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/?token=", {}),
        ("/?token=wrong", {}),
        ("/", {"Cookie": "miya_play=wrong"}),
        ("/assets/play.js", {}),
    ],
)
def test_without_token_or_cookie_nothing_is_shown(server, path, headers):
    status, found, body = server.ask(path=path, **headers)
    assert status == 403 and "Set-Cookie" not in found and b"<script" not in body


@pytest.mark.parametrize("host", ["evil.com", "evil.com:80", "127.0.0.1", "127.0.0.1:1", "", None])
def test_another_host_is_refused(server, host):
    status, _, _ = server.ask(path=f"/?token={server.token}", Host=host)
    assert status in ((400, 403) if not host else (403,))


@pytest.mark.parametrize("origin", ["http://evil.com", "null", "https://127.0.0.1", None])
def test_another_origin_is_refused(server, origin):
    assert server.api({"action": "open"}, Origin=origin)[0] == 403


def test_a_missing_cookie_is_refused(server):
    assert server.api({"action": "open"}, Cookie=None)[0] == 403


@pytest.mark.parametrize(
    "path",
    ["/assets/..%2f..%2fstate.py", "/assets/../state.py", "/assets/%2e%2e/app.py", "/etc/passwd",
     "/assets/C:/x", "//evil.com", "/assets/play.js%00", "/api", "/assets/"],
)  # fmt: skip
def test_no_path_reaches_the_disk(server, path):
    status, _, body = server.ask(path=path, Cookie=server.cookie)
    assert status in (404, 405) and b"import" not in body


def test_large_requests_are_refused(server):
    large = b'{"action": "' + b"x" * 2**21 + b'"}'
    assert server.api(large)[0] == 413
    packed = gzip.compress(large)
    assert len(packed) < 10_000
    assert server.api(packed, Content_Encoding="gzip")[0] == 413
    small = gzip.compress(b'{"action": "open"}')
    assert server.api(small, Content_Encoding="gzip")[0] == 200
    assert server.api(small, Content_Encoding="br")[0] == 415
    assert server.api(small[:-4], Content_Encoding="gzip")[0] == 400


def test_deep_requests_are_refused(server):
    status, answer = server.api(b'{"action": ' + b"[" * 100_000)
    assert status == 400 and answer["error"]["code"] == "E504"


def test_bad_input_is_told_with_its_place(server, state):
    edit = {"kind": "set", "path": ["layers", 0, "bias", 1], "value": "0.5.5"}
    status, answer = server.api({"action": "edit", "state": state, "edit": edit})
    assert status == 422
    assert answer["error"]["path"] == ["layers", 0, "bias", 1]
    assert "0.5.5" in answer["error"]["text"]


def test_labels_are_text(server, state):
    label = '<img src=x onerror=alert(1)></svg><script>alert("2")</script>'
    edit = {"kind": "set", "path": ["title"], "value": label}
    named = server.api({"action": "edit", "state": state, "edit": edit})[1]["state"]
    for action in ("picture", "story"):
        answer = server.api({"action": action, "state": named, "language": "en"})[1]
        told = json.dumps(answer.get("svg", "") + answer.get("html", ""))
        assert "<img" not in told and "<script" not in told.replace("</script", "")


def test_slow_requests_are_closed(server):
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert line.recv(100) == b""
    assert time.monotonic() - started < 20


def malformed(rng):
    """A request with something broken in it, as bytes."""
    pick = rng.randrange(8)
    if pick == 0:
        return rng.randbytes(rng.randrange(1, 300))
    if pick == 1:
        return b"POST /api HTTP/1.1\r\nHost: " + rng.randbytes(20).hex().encode() + b"\r\n\r\n"
    if pick == 2:
        return b"GET /" + rng.randbytes(30).hex().encode() + b" HTTP/9.9\r\n\r\n"
    if pick == 3:
        return b"POST /api HTTP/1.1\r\nContent-Length: -5\r\n\r\n"
    if pick == 4:
        return b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * rng.randrange(1, 200) + b"\r\n"
    body = mangled(rng)
    head = f"POST /api HTTP/1.1\r\nHost: {HOST}\r\nOrigin: http://{HOST}\r\nCookie: {COOKIE}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


HOST = COOKIE = ""
SAMPLES = [b'{"action": "open"}', b'{"action": "edit", "state": {}, "edit": {}}', b"[1, 2]",
           b'{"action": ["open"]}', b'{"action": "link", "hash": "AAAA"}', b'"text"']  # fmt: skip


def mangled(rng):
    body = bytearray(rng.choice(SAMPLES))
    for _ in range(rng.randrange(4)):
        body[rng.randrange(len(body))] = rng.randrange(256)
    return bytes(body)


def send(port, content):
    """The status of the answer, 0 where the line was closed without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(content)
        line.shutdown(socket.SHUT_WR)
        found = b""
        while part := line.recv(65536):
            found += part
    return int(found.split()[1]) if found.startswith(b"HTTP/") else 0


def test_malformed_requests_break_nothing(server, monkeypatch):
    monkeypatch.setitem(globals(), "HOST", server.host)
    monkeypatch.setitem(globals(), "COOKIE", server.cookie)
    rng = random.Random(7)
    statuses = [send(server.port, malformed(rng)) for _ in range(400)]
    assert max(statuses) < 500, sorted(set(statuses))
    assert statuses.count(200) < 200
    assert server.api({"action": "open"})[0] == 200
    assert server.process.poll() is None


def test_health(server):
    status, _, body = server.ask(path="/healthz")
    assert status == 200 and json.loads(body)["ok"] is True
