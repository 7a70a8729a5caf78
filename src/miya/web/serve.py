"""Starting the playground's server, and stopping it gracefully."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import MiyaInputError
from .guard import COOKIE, Guard

HEADER_SECONDS = 10.0
MOST_CONNECTIONS = 1000
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens. port: 0 is any free one. Raises MiyaInputError E812."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named, for asyncio sends at once (TCP_NODELAY) only where it sees that it is TCP
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host.strip("[]"), port))
        found.listen(MOST_CONNECTIONS)
    except OSError as error:
        found.close()
        raise MiyaInputError(
            "E812",
            f"port {port} of {host} cannot be used: {error.strerror}",
            hint="choose another with --port; 0 takes any that is free",
        ) from None
    return found


def names_of(host: str, more: Iterable[str]) -> set[str]:
    """The names by which the server may be called."""
    if is_loopback(host):
        return {*LOOPBACK, *more}
    found = {host, *more}
    if host in ("0.0.0.0", "::"):
        found = {*LOOPBACK, *more, socket.gethostname().lower()}
        found |= _own_addresses()
    return found


def _own_addresses() -> set[str]:
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    except OSError:
        return set()
    return {str(info[4][0]) for info in found}


def serve(
    host: str,
    port: int,
    *,
    names: Iterable[str] = (),
    workers: int = 2,
    ready: Callable[[str], Any] = print,
) -> None:
    """Serve until Ctrl-C or SIGTERM: then what is being answered is finished, and workers end.

    ready: called with the address, its token in it, once the server listens.
    """
    import uvicorn

    from .app import application
    from .workers import SECONDS, Workers

    listening = bound(host, port)
    port = listening.getsockname()[1]
    guard = Guard.of(names_of(host, names), port)
    pool = Workers(workers)
    app = application(guard, pool, cookie=f"{COOKIE}_{port}")
    config = uvicorn.Config(
        app,
        log_level="error",  # a broken request is not worth a line
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=int(SECONDS) + 3,  # a computation has at most so long
        h11_max_incomplete_event_size=32 * 1024,
        http=_protocol(),
        ws="none",
    )
    shown = host if ":" not in host else f"[{host.strip('[]')}]"
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "localhost") else shown
    ready(f"http://{shown}:{port}/?token={guard.token}")
    with listening:
        _server(config, pool.leave).run(sockets=[listening])


def _server(config: Any, leave: Callable[[], None]) -> Any:
    """uvicorn's, which calls `leave` when it is told to stop."""
    import uvicorn

    class Told(uvicorn.Server):
        def handle_exit(self, sig: int, frame: Any) -> None:
            leave()
            super().handle_exit(sig, frame)

    return Told(config)


def _protocol() -> Any:
    """h11, which closes a connection that does not send a whole head in time."""
    import asyncio

    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Patient(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.late = asyncio.get_running_loop().call_later(HEADER_SECONDS, self._too_late)

        def _too_late(self) -> None:
            if self.cycle is None and not self.transport.is_closing():
                self.transport.close()

        def connection_lost(self, exc: Exception | None) -> None:
            self.late.cancel()
            super().connection_lost(exc)

    return Patient
