"""LiveKit's access tokens as its server checks them, with its error texts."""

import hmac
import json
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web
from attrs import frozen

_LEEWAY_S = 60
_SCHEME = "Bearer "
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_ALGORITHM = "HS256"
_ALGORITHMS = {
    "none",
    "EdDSA",
    *(f"{kind}{bits}" for kind in ("HS", "RS", "ES", "PS") for bits in (256, 384, 512)),
}
_TEXTS = ("iss", "sub", "jti")
_TIMES = ("exp", "nbf", "iat")
_GRANTS: Mapping[str, type] = {"roomCreate": bool, "roomList": bool, "roomAdmin": bool, "room": str}
_GO_TYPES: Mapping[type, str] = {
    bool: "bool",
    str: "string",
    int: "number",
    float: "number",
    list: "array",
    dict: "object",
}


class TokenRefusedError(Exception):
    """A token is not valid; the text is the body of the 401, and may repeat the token."""


@frozen(kw_only=True)
class Grants:
    """What a token permits: creating and deleting rooms, listing them, administering one."""

    room_create: bool = False
    room_list: bool = False
    room_admin_of: str | None = None


def authorization_of(request: web.Request) -> str:
    """Return the ``Authorization`` header, or what it would be for the token in the query."""
    in_query = request.query.get("access_token", "")
    return request.headers.get("Authorization", "") or (in_query and f"{_SCHEME}{in_query}")


def read_grants(
    authorization: str,
    *,
    api_key: str,
    api_secret: str,
    wall_clock: Callable[[], float] = time.time,
) -> Grants:
    """Read the grants of an ``Authorization`` header; none where it is empty.

    Raises:
        TokenRefusedError: the token is not valid, or the header has no token.
    """
    if not authorization:
        return Grants()
    if not authorization.startswith(_SCHEME):
        raise TokenRefusedError(f"invalid authorization header. Must start with {_SCHEME}")
    token = authorization.removeprefix(_SCHEME)
    try:
        algorithm, claims, signature = _parse(token)
    except (ValueError, RecursionError):
        raise TokenRefusedError("invalid authorization token") from None
    issuer = claims.get("iss") or ""
    if issuer != api_key:
        shown = issuer.encode(errors="replace").decode()
        raise TokenRefusedError(f"invalid API key: {shown}")
    video = {} if claims.get("video") is None else claims["video"]
    fault = (
        _wrong_grant(video)
        or _wrong_signature(token, algorithm, signature, api_secret)
        or _wrong_time(claims, wall_clock())
    )
    if fault:
        raise TokenRefusedError(f"invalid token: {token}, error: {fault}")
    return Grants(
        room_create=bool(video.get("roomCreate")),
        room_list=bool(video.get("roomList")),
        room_admin_of=(video.get("room") or "") if video.get("roomAdmin") else None,
    )


def _parse(token: str) -> tuple[str, dict[str, Any], bytes]:
    """Read a token's algorithm, claims and signature.

    Raises:
        ValueError: it is no JWT, or a registered claim has another type than its own.
    """
    header, claims, signature = map(_decode, token.split("."))
    algorithm, read = _object(header).get("alg"), _object(claims)
    texts, times = map(read.get, _TEXTS), map(read.get, _TIMES)
    if (
        algorithm not in _ALGORITHMS
        or not all(text is None or isinstance(text, str) for text in texts)
        or not all(time is None or type(time) in {int, float} for time in times)
    ):
        raise ValueError
    return algorithm, read, signature


def _object(text: bytes) -> dict[str, Any]:
    read = json.loads(text)
    if not isinstance(read, dict):
        raise ValueError  # noqa: TRY004 - as for what is no JSON
    return read


def _wrong_grant(video: object) -> str:
    """Say which grant has another type than its own, in the words of Go's JSON decoder."""
    if not isinstance(video, dict):
        return _cannot_read(video, "tokenClaims.ClaimGrants.video", "auth.VideoGrant")
    for name, value in video.items():
        kind = _GRANTS.get(name)
        if kind and value is not None and not isinstance(value, kind):
            return _cannot_read(value, f"VideoGrant.ClaimGrants.video.{name}", _GO_TYPES[kind])
    return ""


def _cannot_read(value: object, field: str, kind: str) -> str:
    why = f"cannot unmarshal {_GO_TYPES[type(value)]} into Go struct field {field} of type {kind}"
    return f"token is malformed: could not JSON decode claim: json: {why}"


def _wrong_signature(token: str, algorithm: str, signature: bytes, api_secret: str) -> str:
    if algorithm != _ALGORITHM:
        return f"token signature is invalid: signing method {algorithm} is invalid"
    signed = token.rpartition(".")[0]
    expected = hmac.digest(api_secret.encode(), signed.encode(), "sha256")
    if not hmac.compare_digest(signature, expected):
        return "token signature is invalid: signature is invalid"
    return ""


def _wrong_time(claims: dict[str, Any], now_s: float) -> str:
    expires_s, valid_from_s, faults = claims.get("exp"), claims.get("nbf"), []
    if expires_s is not None and expires_s < now_s - _LEEWAY_S:
        faults.append("token is expired")
    if valid_from_s is not None and valid_from_s > now_s + _LEEWAY_S:
        faults.append("token is not valid yet")
    return f"token has invalid claims: {', '.join(faults)}" if faults else ""


def _decode(part: str) -> bytes:
    if not _BASE64URL.fullmatch(part):
        raise ValueError
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
