"""LiveKit's access tokens as its server checks them, with its error texts."""

import hmac
import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

from attrs import frozen

_LEEWAY_S = 60
_SCHEME = "Bearer "


class TokenRefusedError(Exception):
    """A token is not valid; the text is the body of the 401, and may repeat the token."""


@frozen(kw_only=True)
class Grants:
    """What a token permits: creating and deleting rooms, listing them, administering one."""

    room_create: bool = False
    room_list: bool = False
    room_admin_of: str | None = None


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
    claims = _claims(token)
    if claims.get("iss") != api_key:
        raise TokenRefusedError(f"invalid API key: {claims.get('iss', '')}")
    fault = _fault(token, claims, api_secret, wall_clock())
    if fault:
        raise TokenRefusedError(f"invalid token: {token}, error: {fault}")
    video = claims.get("video", {})
    return Grants(
        room_create=video.get("roomCreate", False),
        room_list=video.get("roomList", False),
        room_admin_of=video.get("room", "") if video.get("roomAdmin") else None,
    )


def _claims(token: str) -> dict[str, Any]:
    try:
        _header, claims, _signature = token.split(".")
        read = json.loads(_decode(claims))
    except ValueError:
        raise TokenRefusedError("invalid authorization token") from None
    if not isinstance(read, dict):
        raise TokenRefusedError("invalid authorization token")
    return read


def _fault(token: str, claims: dict[str, Any], api_secret: str, now_s: float) -> str:
    signed, _, signature = token.rpartition(".")
    expected = hmac.digest(api_secret.encode(), signed.encode(), "sha256")
    if not hmac.compare_digest(_decode(signature), expected):
        return "token signature is invalid: signature is invalid"
    if claims.get("exp", now_s) < now_s - _LEEWAY_S:
        return "token has invalid claims: token is expired"
    if claims.get("nbf", now_s) > now_s + _LEEWAY_S:
        return "token has invalid claims: token is not valid yet"
    return ""


def _decode(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
