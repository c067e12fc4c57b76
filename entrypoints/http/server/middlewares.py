"""What the server checks of every request before its handler: well-formed HTTP, then capacity."""

import re
from collections.abc import Collection

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.typedefs import Handler, Middleware

from entrypoints.http.server.errors import MalformedHttpError, UnsupportedExpectError
from entrypoints.http.server.keys import HTTP_PROBLEM, OVER_CONNECTION_LIMIT
from entrypoints.http.server.traffic import Traffic

_HOST = re.compile(
    r"(\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(%\w+)?\]|[\w.~!$&'()*+,;=%-]*)(:[0-9]*)?", re.ASCII
)  # RFC 9110, 7.2


@web.middleware
async def reject_malformed_http(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Reject what the parser accepts: other versions, codings and expectations, invalid hosts."""
    if problem := request.get(HTTP_PROBLEM, ""):
        raise MalformedHttpError(problem)
    host = request.headers.get("Host")
    if host is None and request.version == HttpVersion11:
        raise MalformedHttpError("the Host header is missing")
    if host is not None and not _HOST.fullmatch(host):
        raise MalformedHttpError("the Host header is invalid")
    coding = request.headers.get("Transfer-Encoding")
    if coding is not None and (coding.lower() != "chunked" or request.version == HttpVersion10):
        raise MalformedHttpError("the only supported Transfer-Encoding is chunked, in HTTP/1.1")
    for expectation in request.headers.getall("Expect", []):
        if request.version >= HttpVersion11 and expectation.lower() not in ("", "100-continue"):
            raise UnsupportedExpectError
    return await handler(request)


async def defer_continue(_: web.Request) -> None:
    """Handle ``Expect`` by doing nothing: ``100 Continue`` is sent when the body is read."""


def limit_in_flight(traffic: Traffic, *, exempt: Collection[Handler]) -> Middleware:
    """Make the middleware for load shedding: it rejects what is beyond capacity and not exempt."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.handler in exempt:
            return await handler(request)
        if not traffic.has_capacity or request.get(OVER_CONNECTION_LIMIT, False):
            await traffic.reject()
        with traffic.admit():
            return await handler(request)

    return middleware
