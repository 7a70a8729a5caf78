"""Who may talk to the playground: a token once, then a cookie; one host, one origin.

A page of another site can send requests to a server on this machine, and by DNS rebinding even
under a name of its own. So the Host must be one that the server was started as, an Origin must be
the server's own, and every request but the first needs the cookie that only the token gives.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

COOKIE = "miya_play"
LARGEST_BODY = 2**20
DEEPEST = 64
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: "
    "blob:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


@dataclass(frozen=True)
class Guard:
    """hosts: the exact values of Host that are answered. token: what the printed address holds;
    key: what the cookie holds, so that the address in a history opens nothing after a restart."""

    hosts: frozenset[str]
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @classmethod
    def of(cls, names: Iterable[str], port: int) -> Guard:
        """Of a server that is reached by these names at this port."""
        found = {f"{name}:{port}" for name in names}
        return cls(frozenset(found | ({*names} if port == 80 else set())))

    def host(self, given: str | None) -> bool:
        return given is not None and given.lower() in self.hosts

    def origin(self, given: str | None, host: str | None) -> bool:
        """An Origin is the page's own, or there is none, as of a plain navigation."""
        return given is None or given.lower() == f"http://{(host or '').lower()}"

    def opens(self, token: str | None) -> bool:
        return token is not None and _same(token, self.token)

    def knows(self, cookie: str | None) -> bool:
        return cookie is not None and _same(cookie, self.key)


def _same(a: str, b: str) -> bool:
    """Whether both are equal, in a time that tells nothing of where they differ."""
    return hmac.compare_digest(a.encode(), b.encode())
