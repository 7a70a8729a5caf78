"""A playground of its own process, and requests to it as anybody may send them."""

import http.client
import json
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.parse import urlsplit


class Played:
    """A running server: its port, token and, once opened, its cookie."""

    def __init__(self, process, address):
        self.process, self.address = process, address
        parts = urlsplit(address)
        self.port, self.token = parts.port, parts.query.removeprefix("token=")
        self.host = f"127.0.0.1:{self.port}"
        self.origin = f"http://{self.host}"
        self.cookie, self.log = None, ""

    def ask(self, method="GET", path="/", body=None, timeout=20, **headers):
        """(status, headers, body) of one request; a header of None is left out."""
        given = {"Host": self.host, **{k.replace("_", "-"): v for k, v in headers.items()}}
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            line.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in given.items():
                if value is not None:
                    line.putheader(name, value)
            if body is not None and "Content-Length" not in given:
                line.putheader("Content-Length", str(len(body)))
            line.endheaders(body)
            answer = line.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            line.close()

    def open(self):
        status, headers, body = self.ask(path=f"/?token={self.token}")
        assert status == 200, body
        self.cookie = headers["Set-Cookie"].partition(";")[0]
        return headers

    def api(self, request, **headers):
        given = {
            "Cookie": self.cookie,
            "Origin": self.origin,
            "Content-Type": "application/json",
            **headers,
        }
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        for _ in range(100):
            status, _, found = self.ask("POST", "/api", body, **given)
            if status != 429:
                break
            time.sleep(0.2)  # as the page does
        return status, json.loads(found)


@contextmanager
def played(*options):
    command = [sys.executable, "-m", "miya", "play", "--no-browser", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    server = None
    try:
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, (line, process.stderr.read() if process.poll() is not None else "")
        server = Played(process, found[0])
        yield server
    finally:
        process.terminate()
        _, log = process.communicate(timeout=20)
        if server:
            server.log = log
