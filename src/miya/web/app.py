"""The playground's server: four addresses, each guarded, and a refusal for everything else.

GET  /             the page; with ?token=... it also sets the cookie
GET  /assets/NAME  one of three files that are held in memory
POST /api          one request of web/actions.py, as JSON
GET  /healthz      whether it lives, for who runs it (docs/classroom.md)
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from .. import __version__
from ..errors import MiyaInputError
from ..read.parse import parse
from .actions import act, fault, spoken
from .assets import TYPES, asset, page
from .faults import said
from .guard import COOKIE, HEADERS, LARGEST_BODY, Guard
from .quick import is_quick, warm
from .workers import Busy, Failed, Leaving, Workers

BODY_SECONDS = 10.0
CLOSED = (
    "<!doctype html><meta charset=utf-8><title>Miya</title><p>Miya's playground opens by the whole "
    "address that <code>miya play</code> printed, with its token."
)


class Refused(Exception):
    """A request that is not answered: its status, and what to say."""

    def __init__(self, status: HTTPStatus, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.status, self.text, self.hint = status, text, hint


def application(guard: Guard, workers: Workers, *, cookie: str = COOKIE) -> Starlette:
    """The application. cookie: its name, which differs by port since cookies do not."""
    server = _Server(guard, workers, cookie)
    warm()

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        yield
        workers.close()

    made = Starlette(
        routes=[
            Route("/", server.guarded(server.page), methods=["GET"]),
            Route("/assets/{name}", server.guarded(server.asset), methods=["GET"]),
            Route("/api", server.guarded(server.api), methods=["POST"]),
            Route("/healthz", server.guarded(server.health), methods=["GET"]),
        ],
        lifespan=life,
        exception_handlers={404: _nothing_here, 405: _nothing_here},
    )
    made.router.redirect_slashes = False
    return made


Handler = Callable[[Request], Awaitable[Response]]


class _Server:
    def __init__(self, guard: Guard, workers: Workers, cookie: str) -> None:
        self.guard, self.workers, self.cookie = guard, workers, cookie

    def guarded(self, handle: Handler) -> Handler:
        """`handle` behind the checks of host and origin, its refusals as answers."""

        async def answer(request: Request) -> Response:
            try:
                self._check(request)
                found = await handle(request)
            except Refused as refused:
                found = _refusal(refused)
            except ClientDisconnect:
                found = Response(status_code=HTTPStatus.BAD_REQUEST)
            found.headers.update(HEADERS)
            return found

        return answer

    def _check(self, request: Request) -> None:
        host, origin = request.headers.get("host"), request.headers.get("origin")
        if len(request.headers.getlist("host")) != 1 or not self.guard.host(host):
            raise Refused(HTTPStatus.FORBIDDEN, "this server has another name", "see its address")
        if not self.guard.origin(origin, host):
            raise Refused(HTTPStatus.FORBIDDEN, "the request comes from another page")

    def _known(self, request: Request) -> bool:
        return self.guard.knows(request.cookies.get(self.cookie))

    async def page(self, request: Request) -> Response:
        """With the token the cookie is set with the page itself: a redirect would lose it where
        the address was clicked on another site's page."""
        by_token = self.guard.opens(request.query_params.get("token"))
        if not by_token and not self._known(request):
            return HTMLResponse(CLOSED, HTTPStatus.FORBIDDEN)
        found = HTMLResponse(page())
        if by_token:
            found.set_cookie(self.cookie, self.guard.key, httponly=True, samesite="strict")
        return found

    async def asset(self, request: Request) -> Response:
        if not self._known(request):
            raise Refused(HTTPStatus.FORBIDDEN, "the cookie is missing", "open the whole address")
        name = request.path_params["name"]
        if name not in TYPES:
            raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")
        return Response(asset(name), media_type=TYPES[name])

    async def health(self, request: Request) -> Response:
        return JSONResponse({"ok": True, "version": __version__, "waiting": self.workers.waiting})

    async def api(self, request: Request) -> Response:
        if not self._known(request):
            raise Refused(HTTPStatus.FORBIDDEN, "the cookie is missing", "open the whole address")
        if request.headers.get("origin") is None:
            raise Refused(HTTPStatus.FORBIDDEN, "the request names no page that it comes from")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the request is no JSON")
        text = await _text(request)
        try:
            wanted = parse(text, "json")
        except MiyaInputError as error:
            return _told({"error": fault(error)}, HTTPStatus.BAD_REQUEST)
        return await self._ask(wanted, len(text))

    async def _ask(self, wanted: Any, size: int) -> Response:
        try:
            answer = act(wanted) if is_quick(wanted, size) else await self.workers.ask(wanted)
        except Busy:
            raise Refused(
                HTTPStatus.TOO_MANY_REQUESTS,
                "Miya has her paws full: many ask at once",
                "your last change is kept; it is tried again in a moment",
            ) from None
        except Leaving:
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "the playground is being stopped",
                "your last change is kept; it is sent again when the server is back",
            ) from None
        except Failed as failed:
            text, hint = said(failed.code, failed.text, failed.hint, spoken(wanted))
            error = {"code": failed.code, "text": text, "hint": hint, "path": []}
            return _told({"error": error}, HTTPStatus.UNPROCESSABLE_ENTITY)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if "error" in answer else HTTPStatus.OK
        return _told(answer, status)


async def _text(request: Request) -> str:
    """The body, whole and in time."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > LARGEST_BODY:
        raise _too_large()
    try:
        body = await asyncio.wait_for(_read(request), BODY_SECONDS)
    except TimeoutError:
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, "the request came too slowly") from None
    coding = request.headers.get("content-encoding", "identity").lower()
    if coding == "gzip":
        body = _unzipped(body)
    elif coding != "identity":
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the coding {coding[:20]} is not read")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Refused(HTTPStatus.BAD_REQUEST, "the request is not UTF-8") from None


async def _read(request: Request) -> bytes:
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > LARGEST_BODY:
            raise _too_large()
    return bytes(found)


def _unzipped(body: bytes) -> bytes:
    opener = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        found = opener.decompress(body, LARGEST_BODY + 1)
    except zlib.error:
        raise Refused(HTTPStatus.BAD_REQUEST, "the request is no gzip") from None
    if len(found) > LARGEST_BODY:
        raise _too_large()
    if not opener.eof:
        raise Refused(HTTPStatus.BAD_REQUEST, "the gzip is cut off")
    return found


def _too_large() -> Refused:
    return Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the request is over {LARGEST_BODY // 2**20} MiB",
        "use Python for what is so large",
    )


def _told(answer: Any, status: HTTPStatus) -> Response:
    content = json.dumps(answer, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(content.encode(), status, media_type="application/json")


def _refusal(refused: Refused) -> Response:
    error = {"code": str(int(refused.status)), "text": refused.text, "hint": refused.hint}
    found = _told({"error": {**error, "path": []}}, refused.status)
    if refused.status == HTTPStatus.TOO_MANY_REQUESTS:
        found.headers["retry-after"] = "1"
    return found


async def _nothing_here(request: Request, error: Exception) -> Response:
    status = HTTPStatus(getattr(error, "status_code", 404))
    found = _refusal(Refused(status, "there is nothing here"))
    found.headers.update(HEADERS)
    return found
