"""A request's JSON body: its media type, size, time to arrive, and content."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web
from attrs import AttrsInstance, define, field, fields

from domain import strict_json
from entrypoints.http.api.errors import (
    DuplicateMemberError,
    InvalidJsonError,
    PayloadTooLargeError,
    RequestTimeoutError,
    UnsupportedMediaTypeError,
)
from entrypoints.http.api.media_type import is_json_in_utf8
from entrypoints.http.api.structure import structure
from entrypoints.http.limits import Limits
from entrypoints.http.server.aiohttp_internals import RequestPayloadError
from entrypoints.http.server.errors import ClientDisconnectedError, MalformedHttpError
from entrypoints.http.server.expect import send_continue

T = TypeVar("T", bound=AttrsInstance)


@define(eq=False)
class JsonBody:
    """A request's body, received and parsed once, when it is first asked for.

    ``deadline`` is a time of the event loop's clock; ``end_receiving`` is awaited once the body is
    complete.
    """

    _request: web.Request
    _limits: Limits
    _deadline: float
    _end_receiving: Callable[[], Awaitable[None]]
    _bytes: bytes | None = field(init=False, default=None)
    _members: dict[str, object] | None = field(init=False, default=None)

    async def structure(self, cls: type[T]) -> T:
        """Read the body into an attrs class.

        Raises:
            RequestError: as :meth:`members`; or a field is missing, blank or of another type.
        """
        try:
            members = await self.members()
        except DuplicateMemberError as error:
            if error.name not in [attribute.name for attribute in fields(cls)]:
                raise
            raise InvalidJsonError(f"{error.name} is given twice") from None
        return structure(members, cls)

    async def members(self) -> dict[str, object]:
        """Read the body as a strict JSON object.

        Raises:
            UnsupportedMediaTypeError: it is not declared as JSON in UTF-8, or is compressed.
            PayloadTooLargeError: it is larger than ``max_body_bytes``, declared or received.
            RequestTimeoutError: it did not arrive within ``body_timeout_s`` or by the deadline.
            InvalidJsonError: it is not a strict JSON object.
            OverloadedError: too many requests whose body is complete are in flight.
            MalformedHttpError: it is not framed as its headers say.
            ClientDisconnectedError: the client disconnected.
        """
        if self._members is None:
            _check_media_type(self._request)
            if self._bytes is None:
                self._bytes = await _read(self._request, self._limits, self._deadline)
                await self._end_receiving()
            self._members = _parse(self._bytes)
        return self._members


def _parse(body: bytes) -> dict[str, object]:
    try:
        return strict_json.loads_object(body)
    except strict_json.DuplicateKeyError as error:
        raise DuplicateMemberError(error.key) from None
    except strict_json.StrictJsonError as error:
        raise InvalidJsonError(f"the body {error}") from None


def _check_media_type(request: web.Request) -> None:
    if not is_json_in_utf8(request.headers.get("Content-Type", "")):
        raise UnsupportedMediaTypeError("Content-Type must be application/json, in UTF-8")
    if "Content-Encoding" in request.headers:
        raise UnsupportedMediaTypeError("Content-Encoding is not supported; send the body as it is")


async def _read(request: web.Request, limits: Limits, deadline: float) -> bytes:
    if (request.content_length or 0) > limits.max_body_bytes:
        raise _too_large(limits)
    try:
        if request.content.is_eof():
            body = request.content.read_nowait()
        else:
            body = await _receive(request, limits, deadline)
    except RequestPayloadError:
        raise MalformedHttpError("the body is not framed as its headers say") from None
    except OSError:
        raise ClientDisconnectedError("the client disconnected") from None
    if len(body) > limits.max_body_bytes:
        raise _too_large(limits)
    return body


def _too_large(limits: Limits) -> PayloadTooLargeError:
    most = f"{limits.max_body_bytes} bytes (MAX_BODY_BYTES)"
    return PayloadTooLargeError(f"the body is larger than {most}")


async def _receive(request: web.Request, limits: Limits, deadline: float) -> bytes:
    """Wait for an incomplete body until it is complete or too large."""
    await send_continue(request)
    body = bytearray()
    body_deadline = asyncio.get_running_loop().time() + limits.body_timeout_s
    try:
        async with asyncio.timeout_at(min(body_deadline, deadline)):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limits.max_body_bytes:
                    break
    except TimeoutError:
        setting = "BODY" if body_deadline < deadline else "REQUEST"
        problem = f"the body did not arrive in time ({setting}_TIMEOUT_SECONDS)"
        raise RequestTimeoutError(problem) from None
    error = request.content.exception()  # iter_any() ends at a broken body as at a complete one
    if error is not None:
        raise error
    return bytes(body)
