"""LiveKit's room service under ready-made tokens: to sign one for each call costs as much as it."""

from collections.abc import Callable
from datetime import timedelta

import aiohttp
from attrs import define, field
from cachetools import TTLCache
from livekit.api import AccessToken, LiveKitAPI, VideoGrants
from livekit.api.room_service import RoomService

from adapters.livekit.api_key import ApiKey
from domain.room import RoomName

_MAX_READY = 4096  # each takes 2 to 6 KB
_MAX_CHARACTERS = 256  # of a room's name, LiveKit's own bound

_Ready = TTLCache[RoomName | None, RoomService]


@define(kw_only=True, eq=False)
class RoomServices:
    """Gives services whose tokens hold the least grants, each used for half of its life."""

    url: str
    api_key: Callable[[], ApiKey]
    session: aiohttp.ClientSession
    token_life_s: float
    _signed_with: ApiKey | None = field(init=False, default=None)
    _ready: _Ready = field(init=False)

    @_ready.default
    def _none_ready(self) -> _Ready:
        return TTLCache(_MAX_READY, ttl=self.token_life_s / 2)

    def for_listing(self) -> RoomService:
        """Give a service that may read which rooms there are."""
        return self._service(None)

    def of_room(self, name: RoomName) -> RoomService:
        """Give a service that may act within one room."""
        return self._service(name)

    def _service(self, room: RoomName | None) -> RoomService:
        api_key = self.api_key()
        if api_key != self._signed_with:
            self._ready.clear()
            self._signed_with = api_key
        try:
            return self._ready[room]
        except KeyError:
            service = self._make(api_key, room)
            if room is None or len(room) <= _MAX_CHARACTERS:
                self._ready[room] = service
            return service

    def _make(self, api_key: ApiKey, room: RoomName | None) -> RoomService:
        grants = VideoGrants(can_publish=False, can_subscribe=False, can_publish_data=False)
        if room is None:
            grants.room_list = True
        else:
            grants.room_admin, grants.room = True, room
        token = AccessToken(api_key.name, api_key.secret).with_grants(grants)
        token.with_ttl(timedelta(seconds=self.token_life_s))
        return LiveKitAPI.with_token(
            token.to_jwt(), url=self.url, session=self.session, failover=False
        ).room
