"""The token that a caller shows, in a header or in the query string, and what it comes with."""

import re
from collections.abc import Mapping

from aiohttp import web
from attrs import frozen
from typing_extensions import override

from application.ports.authenticator import Credential, PresentedRequest
from entrypoints.http.body import JsonBody
from entrypoints.http.errors import (
    InvalidJsonError,
    InvalidRequestError,
    MalformedCredentialError,
    MissingCredentialError,
    UnsupportedMediaTypeError,
)
from entrypoints.http.limits import Limits

_BEARER = re.compile(r"bearer ([!-~]+)", re.IGNORECASE)
_TOKEN = re.compile(r"([!-~]+)")


def present_credential(
    request: web.Request, body: JsonBody, until: float, limits: Limits
) -> Credential:
    """Read ``Authorization: Bearer <token>``, or else ``?api_key=<token>``.

    A well-formed header wins, whether its token is right or not.

    Raises:
        InvalidRequestError: either is given more than once.
        MissingCredentialError: neither is given.
        MalformedCredentialError: what is given is no token of printable ASCII within the bound.
    """
    headers = request.headers.getall("Authorization", [])
    parameters = request.query.getall("api_key", []) if request.query_string else []
    if len(headers) > 1 or len(parameters) > 1:
        raise InvalidRequestError("the credentials are given more than once")
    if not headers and not parameters:
        raise MissingCredentialError("a token is required: Authorization: Bearer <token>")
    shown = [_BEARER.fullmatch(value) for value in headers]
    shown += [_TOKEN.fullmatch(value) for value in parameters]
    for match in shown:
        if match and len(match[1]) <= limits.max_token_bytes:
            return Credential(token=match[1], request=HttpRequest(request, body, until))
    raise MalformedCredentialError("the token is malformed")


@frozen
class HttpRequest(PresentedRequest):
    """A request as sources of identity may see it."""

    _request: web.Request
    _body: JsonBody
    _until: float

    @property
    @override
    def method(self) -> str:
        return self._request.method

    @property
    @override
    def path(self) -> str:
        return self._request.path

    @property
    @override
    def headers(self) -> Mapping[str, str]:
        joined: dict[str, str] = {}
        for name, value in self._request.headers.items():
            key, text = name.lower(), _readable(value)
            joined[key] = f"{joined[key]}, {text}" if key in joined else text
        return joined

    @override
    async def body(self) -> Mapping[str, object]:
        try:
            return await self._body.members()
        except (UnsupportedMediaTypeError, InvalidJsonError):
            return {}

    @property
    @override
    def until(self) -> float:
        return self._until


def _readable(value: str) -> str:
    """Replace what is not UTF-8, which aiohttp hands on as lone surrogates."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
