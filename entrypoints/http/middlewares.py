"""What happens around every handler, outermost first."""

import re

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.typedefs import Handler

from entrypoints.http.audit import AUDIT_RECORD
from entrypoints.http.errors import MalformedHttpError, error_response
from entrypoints.http.health import live
from entrypoints.http.keys import CONNECTION_IS_SURPLUS, TRAFFIC, VERSION_IS_SPOKEN

_HOST = re.compile(
    r"(\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(%\w+)?\]|[\w.~!$&'()*+,;=%-]*)(:[0-9]*)?", re.ASCII
)  # RFC 9110, 7.2


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever is raised into the one shape of errors, and note it for the audit."""
    try:
        return await handler(request)
    except Exception as error:  # noqa: BLE001 - none may pass: aiohttp's own answer is another shape
        request[AUDIT_RECORD].error = error
        return error_response(error)


@web.middleware
async def refuse_malformed_http(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what aiohttp's parser lets pass: other versions and codings, and no good Host."""
    if not request[VERSION_IS_SPOKEN]:
        raise MalformedHttpError("only HTTP/1.0 and HTTP/1.1 are spoken here")
    host = request.headers.get("Host")
    if host is None and request.version == HttpVersion11:
        raise MalformedHttpError("the Host header is missing")
    if host is not None and not _HOST.fullmatch(host):
        raise MalformedHttpError("the Host header names no host")
    coding = request.headers.get("Transfer-Encoding")
    if coding is not None and (coding.lower() != "chunked" or request.version == HttpVersion10):
        raise MalformedHttpError("Transfer-Encoding can only be chunked, in HTTP/1.1")
    return await handler(request)


@web.middleware
async def limit_in_flight(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Take on no more than the service can carry; to tell that it is alive it always can."""
    if request.match_info.handler is live:
        return await handler(request)
    traffic = request.app[TRAFFIC]
    if request[CONNECTION_IS_SURPLUS] or not traffic.has_room:
        await traffic.refuse()
    with traffic.admit():
        return await handler(request)
