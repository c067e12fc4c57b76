"""A request's body: what it must be, how large, how soon, and the JSON object in it."""

import asyncio

from aiohttp import HttpVersion11, web
from aiohttp.web_protocol import RequestPayloadError
from attrs import define, field

from domain import strict_json
from entrypoints.http.errors import (
    ClientGoneError,
    InvalidJsonError,
    MalformedHttpError,
    PayloadTooLargeError,
    RequestTimeoutError,
    UnsupportedMediaTypeError,
)
from entrypoints.http.limits import Limits
from entrypoints.http.wire import FIELDS

_MAX_TYPE_CHARACTERS = 256  # the parser that aiohttp takes for it is slow with long ones


@define(eq=False)
class JsonBody:
    """A request's body, read when it is first asked for and not a second time.

    ``until``, a time of the event loop's, nobody waits for it any more.
    """

    _request: web.Request
    _limits: Limits
    _until: float
    _bytes: bytes | None = field(init=False, default=None)

    async def members(self) -> dict[str, object]:
        """Read the body as strict JSON, its size told from ``Content-Length`` where there is one.

        Raises:
            UnsupportedMediaTypeError: it is not said to be JSON in UTF-8, or is compressed.
            PayloadTooLargeError: it is larger than ``max_body_bytes``.
            RequestTimeoutError: it did not arrive within ``body_timeout_s``, or until then.
            InvalidJsonError: it is not a JSON object.
        """
        _check_media_type(self._request)
        if self._bytes is None:
            self._bytes = await _read(self._request, self._limits, self._until)
        try:
            return strict_json.loads_object(self._bytes)
        except strict_json.DuplicateKeyError as error:
            what = error.key if error.key in FIELDS else "a field"
            raise InvalidJsonError(f"{what} is given twice") from None
        except strict_json.StrictJsonError as error:
            raise InvalidJsonError(f"the body {error}") from None


def _check_media_type(request: web.Request) -> None:
    if len(request.headers.get("Content-Type", "")) > _MAX_TYPE_CHARACTERS:
        raise UnsupportedMediaTypeError("Content-Type must be application/json, in UTF-8")
    kind = request.content_type
    json = kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )
    if not json or (request.charset or "utf-8").lower() != "utf-8":
        raise UnsupportedMediaTypeError("Content-Type must be application/json, in UTF-8")
    if "Content-Encoding" in request.headers:
        raise UnsupportedMediaTypeError("Content-Encoding is not supported; send the body as it is")


async def _read(request: web.Request, limits: Limits, until: float) -> bytes:
    too_large = PayloadTooLargeError(f"the body is larger than {limits.max_body_bytes} bytes")
    if (request.content_length or 0) > limits.max_body_bytes:
        raise too_large
    try:
        if request.content.is_eof():
            body = request.content.read_nowait()
        else:
            body = await _receive(request, limits, until)
    except TimeoutError:
        raise RequestTimeoutError("the body did not arrive in time") from None
    except RequestPayloadError:
        raise MalformedHttpError("the body is not framed as its headers say") from None
    except OSError:
        raise ClientGoneError("the client broke off") from None
    if len(body) > limits.max_body_bytes:
        raise too_large
    return body


async def _receive(request: web.Request, limits: Limits, until: float) -> bytes:
    """Wait for a body that is on its way, until it is whole or too large."""
    await _invite(request)
    body = bytearray()
    due = asyncio.get_running_loop().time() + limits.body_timeout_s
    async with asyncio.timeout_at(min(due, until)):
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > limits.max_body_bytes:
                break
    broken = request.content.exception()  # of which who waits is told by an end
    if broken is not None:
        raise broken
    return bytes(body)


async def ignore_expectation(request: web.Request) -> None:
    """Leave ``Expect: 100-continue`` to be met when the body is wanted; refuse any other.

    Raises:
        web.HTTPExpectationFailed: something else is expected.
    """
    for expectation in request.headers.getall("Expect"):
        if request.version >= HttpVersion11 and expectation.lower() != "100-continue":
            raise web.HTTPExpectationFailed


async def _invite(request: web.Request) -> None:
    """Meet ``Expect: 100-continue``, as aiohttp does, but only now that the body is wanted."""
    if request.version >= HttpVersion11 and "Expect" in request.headers:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
