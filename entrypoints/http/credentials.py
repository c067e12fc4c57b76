"""The token that a caller shows, in a header or in the query string."""

import re

from aiohttp import web

from application.ports.authenticator import Credential
from entrypoints.http.errors import (
    InvalidRequestError,
    MalformedCredentialError,
    MissingCredentialError,
)

_BEARER = re.compile(r"bearer ([!-~]+)", re.IGNORECASE)
_TOKEN = re.compile(r"([!-~]+)")


def present_credential(request: web.Request, *, max_token_bytes: int) -> Credential:
    """Read ``Authorization: Bearer <token>``, or else ``?api_key=<token>``.

    A well-formed header wins, whether its token is right or not.

    Raises:
        InvalidRequestError: either is given more than once.
        MissingCredentialError: neither is given.
        MalformedCredentialError: what is given is no token of printable ASCII within the bound.
    """
    headers = request.headers.getall("Authorization", [])
    parameters = request.query.getall("api_key", [])
    if len(headers) > 1 or len(parameters) > 1:
        raise InvalidRequestError("the credentials are given more than once")
    if not headers and not parameters:
        raise MissingCredentialError("a token is required: Authorization: Bearer <token>")
    shown = [_BEARER.fullmatch(value) for value in headers]
    shown += [_TOKEN.fullmatch(value) for value in parameters]
    for match in shown:
        if match and len(match[1]) <= max_token_bytes:
            return Credential(token=match[1])
    raise MalformedCredentialError("the token is malformed")
