"""Twirp as LiveKit's servers speak it: messages in protobuf or JSON, errors always in JSON."""

import asyncio
import json
import posixpath
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import Enum
from typing import TypeVar

from aiohttp import web
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

STATUSES: Mapping[str, int] = {
    "canceled": 408,
    "unknown": 500,
    "invalid_argument": 400,
    "malformed": 400,
    "deadline_exceeded": 408,
    "not_found": 404,
    "bad_route": 404,
    "already_exists": 409,
    "permission_denied": 403,
    "unauthenticated": 401,
    "resource_exhausted": 429,
    "failed_precondition": 412,
    "aborted": 409,
    "out_of_range": 400,
    "unimplemented": 501,
    "internal": 500,
    "unavailable": 503,
    "dataloss": 500,
}
"""The HTTP status of each code, after twirp 8.1.3, errors.go."""

M = TypeVar("M", bound=Message)


class TwirpError(Exception):
    """A call failed, as Twirp has it."""

    def __init__(self, code: str, msg: str, *, meta: Mapping[str, str] | None = None) -> None:
        super().__init__(code, msg)
        self.code = code
        self.msg = msg
        self.meta = meta

    def response(self, *, status: int | None = None) -> web.Response:
        """Make the response, with another status than its code's own where given."""
        error: dict[str, object] = {"code": self.code, "msg": self.msg}
        if self.meta:
            error["meta"] = dict(self.meta)
        return web.Response(
            status=STATUSES[self.code] if status is None else status,
            body=json.dumps(error, separators=(",", ":")).encode(),
            content_type="application/json",
        )


class Encoding(Enum):
    """How a message is encoded in a body; the value is the media type."""

    PROTOBUF = "application/protobuf"
    JSON = "application/json"


def path_of(request: web.Request) -> str:
    """Return the path that LiveKit looks up: of two slashes in front it drops one."""
    return request.path[1:] if request.path.startswith("//") else request.path


def clean_path(path: str) -> str:
    """Return a path without empty parts and dots, to which LiveKit redirects."""
    clean = "/" + posixpath.normpath(path).lstrip("/")
    return f"{clean}/" if path.endswith("/") and clean != "/" else clean


def bad_route(request: web.Request, why: str) -> TwirpError:
    """Make the error for a request that calls no procedure."""
    return TwirpError(
        "bad_route", why, meta={"twirp_invalid_route": f"{request.method} {path_of(request)}"}
    )


def encoding_of(request: web.Request) -> Encoding:
    """Return how a call is encoded, and so its answer.

    Raises:
        TwirpError: neither protobuf nor JSON.
    """
    given = request.headers.get("Content-Type", "")
    try:
        return Encoding(given.partition(";")[0].strip().lower())
    except ValueError:
        raise bad_route(request, f"unexpected Content-Type: {json.dumps(given)}") from None


def decode(body: bytes, kind: type[M], encoding: Encoding) -> M:
    """Decode a message.

    Raises:
        TwirpError: the body is not one.
    """
    try:
        match encoding:
            case Encoding.PROTOBUF:
                return kind.FromString(body)
            case Encoding.JSON:
                return _decode_json(body, kind)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError):
        name = encoding.name.lower()
        raise TwirpError("malformed", f"the {name} request could not be decoded") from None


def encode(message: Message, encoding: Encoding) -> web.Response:
    """Make the response with a message, encoded as its request was."""
    body = (
        message.SerializeToString()
        if encoding is Encoding.PROTOBUF
        else json.dumps(_all_fields(message)).encode()
    )
    return web.Response(body=body, content_type=encoding.value)


@asynccontextmanager
async def request_timeout(request: web.Request) -> AsyncIterator[None]:
    """Cancel what takes longer than the caller's ``X-Twirp-Timeout-Ms``.

    Raises:
        TwirpError: it took longer.
    """
    try:
        timeout_s = int(request.headers.get("X-Twirp-Timeout-Ms", "")) / 1000
    except (ValueError, OverflowError):
        timeout_s = None
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError:
        raise TwirpError("canceled", "twirp error unknown: request canceled") from None


def _decode_json(body: bytes, kind: type[M]) -> M:
    if not body.lstrip().startswith(b"{"):  # json_format takes [] for an empty message
        raise json_format.ParseError
    return json_format.Parse(body, kind(), ignore_unknown_fields=True)


def _all_fields(message: Message) -> dict[str, object]:
    """Include unset fields, as protobuf's Go library does: an absent message is null."""
    fields: dict[str, object] = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    for field in message.DESCRIPTOR.fields:
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        inner = getattr(message, field.name)
        if field.is_repeated:
            fields[field.name] = [_all_fields(each) for each in inner]
        else:
            fields[field.name] = _all_fields(inner) if message.HasField(field.name) else None
    return fields
