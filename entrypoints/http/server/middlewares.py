"""What the server checks of every request before its handler: well-formed HTTP, then capacity."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from contextlib import suppress

from aiohttp import HttpVersion10, HttpVersion11, StreamReader, web
from aiohttp.typedefs import Handler, Middleware

from entrypoints.http.server.errors import MalformedHttpError, UnsupportedExpectError
from entrypoints.http.server.expect import send_continue
from entrypoints.http.server.keys import HTTP_PROBLEM, OVER_CONNECTION_LIMIT
from entrypoints.http.server.malformed import MISSING_HOST
from entrypoints.http.server.traffic import Traffic

_TOO_MANY_RECEIVING = "too many requests are receiving their body (MAX_IN_FLIGHT)"
_HOST = re.compile(
    r"(\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(%\w+)?\]|[\w.~!$&'()*+,;=%-]*)(:[0-9]*)?", re.ASCII
)  # RFC 9110, 7.2


@web.middleware
def reject_malformed_http(
    request: web.Request, handler: Handler
) -> Awaitable[web.StreamResponse]:  # which is no coroutine of its own, since each one costs
    """Reject what the parser accepts: other versions, codings and expectations, invalid hosts."""
    if problem := request.get(HTTP_PROBLEM, ""):
        raise MalformedHttpError(problem)
    host = request.headers.get("Host")
    if host is None and request.version == HttpVersion11:
        raise MalformedHttpError(MISSING_HOST)
    if host is not None and not _HOST.fullmatch(host):
        raise MalformedHttpError("the Host header is invalid")
    coding = request.headers.get("Transfer-Encoding")
    if coding is not None and (coding.lower() != "chunked" or request.version == HttpVersion10):
        raise MalformedHttpError("the only supported Transfer-Encoding is chunked, in HTTP/1.1")
    for expectation in request.headers.getall("Expect", []):
        if request.version >= HttpVersion11 and expectation.lower() not in ("", "100-continue"):
            raise UnsupportedExpectError
    return handler(request)


def limit_in_flight(
    traffic: Traffic,
    *,
    body_grace_s: float,
    exempt: Collection[Handler],
    keys: Mapping[Handler, Callable[[web.Request], Hashable]],
) -> Middleware:
    """Make the middleware for load shedding: it rejects what is beyond capacity and not exempt.

    While too many requests are receiving their bodies, one whose body follows its headers within
    ``body_grace_s`` is served all the same. While too many are in flight, a request of a handler
    in ``keys`` is let in if its key has few of them, see ``Traffic``.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        target = request.match_info.handler
        if target in exempt:
            return await handler(request)
        if request.get(OVER_CONNECTION_LIMIT, False):
            await traffic.reject("too many connections are open (MAX_CONNECTIONS)")
        key = keys[target](request) if target in keys else None
        if not traffic.has_capacity_for(key):
            await traffic.reject(key=key)
        receiving = not request.content.is_eof()
        has_place = not receiving or traffic.can_receive
        with traffic.admit(key, receiving=receiving):
            if not has_place:
                await send_continue(request)
                if not await _ends_within(body_grace_s, request.content):
                    await traffic.reject(_TOO_MANY_RECEIVING)
            return await handler(request)

    return middleware


async def _ends_within(timeout_s: float, body: StreamReader) -> bool:
    """Wait for the end of a body, which whoever reads it may find to be an error."""
    with suppress(Exception):  # the error of the body, or the timeout
        async with asyncio.timeout(timeout_s):
            await body.wait_eof()
    return body.is_eof() or body.exception() is not None
