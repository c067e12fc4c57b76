"""Access tokens for LiveKit, signed once for many calls: signing costs as much as a call."""

import time
from collections.abc import Callable
from datetime import timedelta

from attrs import define, field
from cachetools import TTLCache
from livekit.api import AccessToken, VideoGrants

from adapters.livekit.api_key import ApiKey
from domain.room import RoomName

_MAX_CACHED = 4096
_MAX_CACHED_CHARACTERS = 256  # of a room's name, LiveKit's own limit

_Cache = TTLCache[RoomName | None, str]


@define(kw_only=True, eq=False)
class AccessTokens:
    """Signs tokens with the least grants and the current key; each is used for half of its life."""

    api_key: Callable[[], ApiKey]
    token_life_s: float
    monotonic: Callable[[], float] = time.monotonic
    _signed_with: ApiKey | None = field(init=False, default=None)
    _cache: _Cache = field(init=False)

    @_cache.default
    def _make_cache(self) -> _Cache:
        return TTLCache(_MAX_CACHED, ttl=self.token_life_s / 2, timer=self.monotonic)

    def for_listing(self) -> str:
        """Give a token that may list rooms."""
        return self._token(None)

    def for_room(self, name: RoomName) -> str:
        """Give a token that may administer one room."""
        return self._token(name)

    def _token(self, room: RoomName | None) -> str:
        api_key = self.api_key()
        if api_key != self._signed_with:
            self._cache.clear()
            self._signed_with = api_key
        try:
            return self._cache[room]
        except KeyError:
            token = self._sign(api_key, room)
            if room is None or len(room) <= _MAX_CACHED_CHARACTERS:
                self._cache[room] = token
            return token

    def _sign(self, api_key: ApiKey, room: RoomName | None) -> str:
        grants = VideoGrants(can_publish=False, can_subscribe=False, can_publish_data=False)
        if room is None:
            grants.room_list = True
        else:
            grants.room_admin, grants.room = True, room
        token = AccessToken(api_key.name, api_key.secret).with_grants(grants)
        return token.with_ttl(timedelta(seconds=self.token_life_s)).to_jwt()
