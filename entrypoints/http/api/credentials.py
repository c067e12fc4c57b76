"""The caller's token, from a header or the query string, and the request that it came with."""

import re
from collections.abc import Mapping
from functools import cached_property

from aiohttp import web
from attrs import frozen
from typing_extensions import override

from application.ports.authenticator import PresentedRequest
from entrypoints.http.api.body import JsonBody
from entrypoints.http.api.errors import (
    InvalidJsonError,
    InvalidRequestError,
    MalformedCredentialError,
    MissingCredentialError,
    UnsupportedMediaTypeError,
)
from entrypoints.http.limits import Limits
from entrypoints.http.server.keys import TRAFFIC

_BEARER = re.compile(r"bearer ([!-~]+)", re.IGNORECASE)
_TOKEN = re.compile(r"([!-~]+)")
_MALFORMED_HEADER = (
    "the Authorization header is malformed: it must be Bearer <token>, with one space between them"
    " and a token of printable ASCII"
)
_MALFORMED_PARAMETER = "api_key is malformed: it must be a token of printable ASCII without spaces"


@frozen(eq=False, repr=False)
class HttpPresentedRequest(PresentedRequest):
    """An HTTP request as sources of identity may see it."""

    _request: web.Request
    _body: JsonBody
    _deadline: float
    _limits: Limits

    @cached_property
    @override
    def token(self) -> str:
        """The token of ``Authorization: Bearer <token>``, or else of ``?api_key=<token>``.

        A well-formed header takes precedence, whether its token is valid or not.

        Raises:
            InvalidRequestError: either is given more than once.
            MissingCredentialError: neither is given.
            MalformedCredentialError: no token of printable ASCII within the size limit is given.
        """
        request = self._request
        headers = request.headers.getall("Authorization", [])
        parameters = request.query.getall("api_key", []) if request.query_string else []
        if len(headers) > 1 or len(parameters) > 1:
            name = "Authorization" if len(headers) > 1 else "api_key"
            raise InvalidRequestError(f"{name} is given more than once")
        if not headers and not parameters:
            raise MissingCredentialError("a token is required: Authorization: Bearer <token>")
        matches = [*map(_BEARER.fullmatch, headers), *map(_TOKEN.fullmatch, parameters)]
        most = self._limits.max_token_bytes
        for match in matches:
            if match and len(match[1]) <= most:
                return match[1]
        if any(matches):
            problem = f"the token is longer than {most} bytes (MAX_TOKEN_BYTES)"
        else:
            problem = _MALFORMED_HEADER if headers else _MALFORMED_PARAMETER
        raise MalformedCredentialError(problem)

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
            key, text = name.lower(), _replace_undecodable(value)
            joined[key] = f"{joined[key]}, {text}" if key in joined else text
        return joined

    @override
    async def body(self) -> Mapping[str, object]:
        try:
            return await self._body.members()
        except UnsupportedMediaTypeError:
            await self._request.app[TRAFFIC].end_receiving()  # such a body is not read
        except InvalidJsonError:
            pass
        return {}

    @property
    @override
    def deadline(self) -> float:
        return self._deadline


def _replace_undecodable(value: str) -> str:
    """Replace bytes that are not UTF-8, which aiohttp passes on as lone surrogates."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
