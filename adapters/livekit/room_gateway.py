"""The room gateway over LiveKit's RoomService."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

from attrs import field, frozen
from typing_extensions import override

from adapters.http_client.client import HttpClient
from adapters.http_client.telemetry import NO_TELEMETRY, Telemetry
from adapters.livekit.api_key import ApiKey
from adapters.livekit.errors import AnswerTooLargeError
from adapters.livekit.limits import LiveKitLimits
from adapters.livekit.participant_probe import ParticipantProbe
from adapters.livekit.room_lookup import RoomLookup
from adapters.livekit.room_service import RoomServiceClient
from adapters.livekit.tokens import AccessTokens
from adapters.livekit.track_mute import TrackMute
from application.ports.room_gateway import RoomGateway
from application.ports.turns import TENANT
from domain.room import Room, RoomName, RoomNotFoundError, RoomNotFoundReason
from domain.track import ListedParticipant, Participant, Track, TrackSid

_DEFAULT_LIMITS = LiveKitLimits()


@frozen(kw_only=True)
class LiveKitRoomGateway(RoomGateway):
    """The port in terms of LiveKit's calls."""

    client: RoomServiceClient
    rooms: RoomLookup
    mutes: TrackMute
    _unused_name: RoomName = field(init=False)

    @_unused_name.default
    def _make_unused_name(self) -> RoomName:  # that no room can have been given
        return RoomName(f"livekit-mute-verifies-its-access-{uuid4()}")

    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> Room:
        try:
            room = await self.rooms.find(name, deadline)
        except AnswerTooLargeError as error:
            if not error.is_about(name):
                raise
            raise RoomNotFoundError(RoomNotFoundReason.UNREADABLE) from None
        if room is None:
            raise RoomNotFoundError(RoomNotFoundReason.MISSING)
        return room

    @override
    async def mute_track(
        self,
        participant: Participant,
        track_sid: TrackSid,
        *,
        muted: bool,
        room_was_read: bool,
        deadline: float,
    ) -> Track:
        return await self.mutes.mute(
            participant, track_sid, muted=muted, room_was_read=room_was_read, deadline=deadline
        )

    @override
    async def list_participants(
        self, room: RoomName, *, deadline: float
    ) -> tuple[ListedParticipant, ...]:
        try:
            await self.get_room(room, deadline=deadline)  # a listing does not tell a missing room
        except RoomNotFoundError as error:
            if error.reason is not RoomNotFoundReason.UNREADABLE:  # which is there
                raise
        return await self.client.list_participants(room, deadline)

    @override
    async def verify_access(self, *, deadline: float) -> None:
        await self.rooms.find(self._unused_name, deadline)  # batched like other lookups


@asynccontextmanager
async def open_gateway(
    *,
    url: str,
    api_key: ApiKey | Callable[[], ApiKey],
    limits: LiveKitLimits = _DEFAULT_LIMITS,
    telemetry: Telemetry = NO_TELEMETRY,
) -> AsyncIterator[LiveKitRoomGateway]:
    """Open a gateway to the LiveKit at a ``ws(s)://`` or ``http(s)://`` URL.

    Args:
        url: where LiveKit listens.
        api_key: the key, or a function that gives the current one and is called for each token.
        limits: the limits of this gateway.
        telemetry: told of each call.

    Raises:
        ValueError: the URL is none of these.
    """
    key = (lambda: api_key) if isinstance(api_key, ApiKey) else api_key
    async with HttpClient(url, limits.max_connections, telemetry, TENANT.get) as http:
        tokens = AccessTokens(api_key=key, token_life_s=limits.token_life_s)
        client = RoomServiceClient(http=http, tokens=tokens)
        rooms = RoomLookup(
            list_rooms=client.list_rooms,
            max_names=limits.max_rooms_per_read,
            telemetry=telemetry,
        )
        probe = ParticipantProbe(get_participant=client.get_participant, find_room=rooms.find)
        mutes = TrackMute(begin=client.begin_mute, probe=probe, probe_delay_s=limits.probe_delay_s)
        yield LiveKitRoomGateway(client=client, rooms=rooms, mutes=mutes)
