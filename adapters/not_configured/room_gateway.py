"""The room gateway while the settings of LiveKit are missing."""

import math
from typing import NoReturn

from attrs import frozen
from typing_extensions import override

from application.ports.room_gateway import RoomGateway, RoomGatewayNotConfiguredError
from domain.room import Room, RoomName
from domain.track import Participant, Track, TrackSid


@frozen(kw_only=True)
class NotConfiguredRoomGateway(RoomGateway):
    """Names the missing settings in every answer."""

    missing: tuple[str, ...]

    @override
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        self._refuse()

    @override
    async def mute_track(
        self, participant: Participant, track_sid: TrackSid, *, muted: bool, until: float = math.inf
    ) -> Track:
        self._refuse()

    @override
    async def verify_access(self, *, until: float = math.inf) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise RoomGatewayNotConfiguredError(missing=self.missing)
