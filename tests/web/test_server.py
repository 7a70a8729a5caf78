"""The server answers its own page alone, within its bounds."""

import gzip
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from web.load import broken, family, loaded
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
    for deep, wanted in ((63, 422), (64, 400)):  # in a table, which is a level itself
        status, answer = server.api(b'{"action": %b}' % (b"[" * deep + b"]" * deep))
        assert (status, answer["error"]["code"] == "E504") == (wanted, wanted == 400), deep


def test_a_crowd_is_told_to_wait_and_is_served_then(server, state):
    """Beyond 16 computations: 429, a friendly word, and when to ask again."""
    body = json.dumps({"action": "step", "state": state, "steps": 200}).encode()
    given = {"Cookie": server.cookie, "Origin": server.origin, "Content-Type": "application/json"}
    with ThreadPoolExecutor(60) as pool:
        asked = [pool.submit(server.ask, "POST", "/api", body, 60, **given) for _ in range(60)]
        answers = [a.result() for a in asked]
    assert {status for status, _, _ in answers} == {200, 429}
    for status, headers, text in answers:
        if status == 429:
            assert headers["Retry-After"] == "1"
            assert "Miya has her paws full" in json.loads(text)["error"]["text"]
    assert server.api({"action": "open"})[0] == 200


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


def test_slow_bodies_are_refused(server):
    """A head that is whole, and a body that never is."""
    head = f"POST /api HTTP/1.1\r\nHost: {server.host}\r\nOrigin: {server.origin}\r\n"
    head += (
        f"Cookie: {server.cookie}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        line.sendall(head.encode() + b'{"action"')
        assert line.recv(100).startswith(b"HTTP/1.1 408 ")
    assert server.api({"action": "open"})[0] == 200


def test_slow_requests_are_closed(server):
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert line.recv(100) == b""
    assert time.monotonic() - started < 20


def test_malformed_requests_break_nothing(server):
    statuses = broken(server, 400)
    assert max(statuses) < 500 and statuses[200] < 200, statuses
    assert server.api({"action": "open"})[0] == 200
    assert server.process.poll() is None


def test_malformed_requests_write_no_log():
    """Who reads no log must not find the server waiting to write one."""
    with played() as other:
        other.open()
        broken(other, 50)
    assert other.log == ""


def test_a_class_is_served():
    with played() as server:
        server.open()
        load = loaded(server, 12.0, warm=4.0)
    # 429 is what a slow machine says for a moment: the page asks again
    assert load.statuses[200] > 100 and set(load.statuses) <= {200, 429}, load
    assert load.memory[1] - load.memory[0] < 20 * 2**20, load
    assert load.descriptors[1] <= load.descriptors[0], load
    assert server.log == ""


def test_it_stops_gracefully_in_a_crowd(state):
    """What runs is answered, what waits is told of the stop, and no log is written."""
    body = json.dumps({"action": "step", "state": state, "steps": 200}).encode()
    statuses = []
    with played() as server:
        server.open()
        given = {"Cookie": server.cookie, "Origin": server.origin}

        def asks():
            status = 200
            while status == 200:
                try:
                    status, _, text = server.ask(
                        "POST", "/api", body, 60, Content_Type="application/json", **given
                    )
                except OSError:  # the server is gone
                    return
                statuses.append(status)
            assert b"is being stopped" in text

        with ThreadPoolExecutor(12) as pool:
            asking = [pool.submit(asks) for _ in range(12)]
            while len(statuses) < 12:
                time.sleep(0.01)
            server.process.terminate()
            for asked in asking:
                asked.result()
        assert server.process.wait(20) in (0, -15)
    assert set(statuses) == {200, 503}
    assert server.log == ""


def test_it_stops_gracefully():
    with played() as server:
        server.open()
        server.api({"action": "open"})
        children = family(server.process.pid)[1:]
        server.process.terminate()
        assert server.process.wait(20) in (0, -15)
    until = time.monotonic() + 10
    while any(map(alive, children)) and time.monotonic() < until:
        time.sleep(0.05)
    assert children and not any(map(alive, children))
    assert server.log == ""


def alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_health(server):
    status, _, body = server.ask(path="/healthz")
    assert status == 200 and json.loads(body)["ok"] is True
