"""Requests with something broken in them."""

import socket

SAMPLES = [b'{"action": "open"}', b'{"action": "edit", "state": {}, "edit": {}}', b"[1, 2]",
           b'{"action": ["open"]}', b'{"action": "link", "hash": "AAAA"}', b'"text"']  # fmt: skip


def malformed(rng, server):
    """The bytes of a request: noise, a broken head, or a mangled body under a sound one."""
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
    head = (
        f"POST /api HTTP/1.1\r\nHost: {server.host}\r\nOrigin: {server.origin}\r\n"
        f"Cookie: {server.cookie}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


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
