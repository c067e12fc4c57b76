"""Access tokens for LiveKit, signed once for many calls: signing costs as much as a call."""

import time
from collections import OrderedDict
from collections.abc import Callable

import jwt
from attrs import define, field, frozen

from adapters.livekit.api_key import ApiKey
from domain.room import RoomName

_MAX_CACHED = 4096
_MAX_CACHED_BYTES = 256  # of a room's name in UTF-8, LiveKit's own limit unless it is raised
_RENEWAL_INTERVAL_S = 10.0
_BLOCK_BYTES = 64  # HMAC-SHA-256 itself pads a key to these with zeros (RFC 2104)


@frozen
class _Signed:
    """A token, when it was signed, and whether LiveKit had refused the one before."""

    token: str
    at: float
    renewed: bool


@define(kw_only=True, eq=False)
class AccessTokens:
    """Signs tokens with the least grants and the current key; each is used for half of its life.

    The room of a token that may list rooms is ``None``. LiveKit judges a token by the wall clock,
    which can be set back and forth, so no token is used whose time of signing is still to come.
    """

    api_key: Callable[[], ApiKey]
    token_life_s: float
    wall_clock: Callable[[], float] = time.time
    _signed_with: ApiKey | None = field(init=False, default=None)
    _cache: OrderedDict[RoomName | None, _Signed] = field(init=False, factory=OrderedDict)
    """The tokens by their rooms; those used last are at the end."""

    def token_for(self, room: RoomName | None, *, renewed: bool = False) -> str:
        """Give a token that may administer one room, or list rooms.

        Args:
            room: the room.
            renewed: whether LiveKit has refused the one before, noted if one is signed now.
        """
        api_key, now_s = self.api_key(), self.wall_clock()
        if api_key is not self._signed_with and api_key != self._signed_with:
            self._cache.clear()
            self._signed_with = api_key
        kept = self._cache.get(room)
        if kept is not None and 0 <= now_s - kept.at < self.token_life_s / 2:
            self._cache.move_to_end(room)
            return kept.token
        signed = _Signed(self._sign(api_key, room, now_s), now_s, renewed)
        if room is None or len(room.encode()) <= _MAX_CACHED_BYTES:
            self._cache[room] = signed
            self._cache.move_to_end(room)
            if len(self._cache) > _MAX_CACHED:
                self._cache.popitem(last=False)
        return signed.token

    def renewed_for(self, room: RoomName | None, *, refused: str) -> str | None:
        """Give a token in place of one that LiveKit refused.

        Returns:
            ``None`` where that one had itself replaced another less than 10 s before: LiveKit
            refuses them for another reason than their age.
        """
        kept = self._cache.get(room)
        if kept is not None and kept.token is refused:  # two of one second are equal
            if kept.renewed and abs(self.wall_clock() - kept.at) < _RENEWAL_INTERVAL_S:
                return None
            del self._cache[room]
        return self.token_for(room, renewed=True)

    def _sign(self, api_key: ApiKey, room: RoomName | None, now_s: float) -> str:
        grants: dict[str, object] = (
            {"roomList": True} if room is None else {"roomAdmin": True, "room": room}
        )
        nothing_else = {"canPublish": False, "canSubscribe": False, "canPublishData": False}
        claims = {
            "iss": api_key.name,
            "nbf": int(now_s),
            "exp": int(now_s + self.token_life_s),
            "video": grants | nothing_else,
        }
        # Settings warn of a short secret; padded, it gives the same signature and no warning.
        return jwt.encode(claims, api_key.secret.encode().ljust(_BLOCK_BYTES, b"\0"), "HS256")
