"""The room gateway over LiveKit's RoomService."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from attrs import frozen
from livekit.api import ListRoomsRequest, MuteRoomTrackRequest, RoomParticipantIdentity
from livekit.api.room_service import RoomService
from livekit.protocol.models import Room as LiveKitRoom
from typing_extensions import override

from adapters.livekit.api_key import ApiKey
from adapters.livekit.bounds import Bounds
from adapters.livekit.errors import (
    FOREIGN_ERRORS,
    AbsentError,
    PreconditionFailedError,
    translate,
)
from adapters.livekit.room_services import RoomServices
from adapters.livekit.session import make_session
from application.ports.room_gateway import (
    RemoteUnmuteDisabledError,
    RoomGateway,
    RoomGatewayError,
    RoomGatewayUnavailableError,
)
from domain.room import Room, RoomName, RoomNotFoundError, RoomNotFoundReason
from domain.track import (
    Participant,
    ParticipantNotFoundError,
    Track,
    TrackNotFoundError,
    TrackSid,
)

T = TypeVar("T")

_NOBODYS_ROOM = RoomName("livekit-mute-verifies-its-access")


@frozen(kw_only=True)
class LiveKitRoomGateway(RoomGateway):
    """Asks LiveKit anew for each call, within its bounds."""

    services: RoomServices
    bounds: Bounds

    @override
    async def get_room(self, name: RoomName) -> Room:
        room = await self._find_room(name)
        if room is None:
            raise RoomNotFoundError(RoomNotFoundReason.MISSING)
        return Room.from_metadata(name, room.metadata)

    @override
    async def mute_track(
        self, participant: Participant, track_sid: TrackSid, *, muted: bool
    ) -> Track:
        rooms = self.services.of_room(participant.room)
        mute = asyncio.create_task(self._mute(rooms, participant, track_sid, muted=muted))
        mute.add_done_callback(_look_at_outcome)
        try:
            await asyncio.wait({mute}, timeout=self.bounds.probe_delay_s)
            if not mute.done():
                await self._settle_absence(rooms, participant, beside=mute)
            return await mute
        finally:
            mute.cancel()

    @override
    async def verify_access(self) -> None:
        await self._find_room(_NOBODYS_ROOM)

    async def _find_room(self, name: RoomName) -> LiveKitRoom | None:
        """Look a room up, by name: an empty list of names would bring every room."""
        rooms = self.services.for_listing()
        answer = await self._ask(rooms.list_rooms(ListRoomsRequest(names=[name])))
        if not answer.ByteSize():
            return None
        if [room.name for room in answer.rooms] != [name]:
            raise RoomGatewayUnavailableError(reason="answered about another room")
        return answer.rooms[0]

    async def _mute(
        self, rooms: RoomService, participant: Participant, track_sid: TrackSid, *, muted: bool
    ) -> Track:
        wish = MuteRoomTrackRequest(
            room=participant.room,
            identity=participant.identity,
            track_sid=track_sid,
            muted=muted,
        )
        try:
            answer = await self._ask(rooms.mute_published_track(wish))
        except AbsentError:  # LiveKit Cloud; the open-source server says nothing for 3 s
            raise ParticipantNotFoundError from None
        except PreconditionFailedError:
            if muted:
                raise
            raise RemoteUnmuteDisabledError from None
        if not answer.ByteSize():
            raise TrackNotFoundError
        if answer.track.sid != track_sid:
            raise RoomGatewayUnavailableError(reason="answered about another track")
        return Track(sid=track_sid, muted=answer.track.muted)

    async def _settle_absence(
        self, rooms: RoomService, participant: Participant, *, beside: asyncio.Task[Track]
    ) -> None:
        """Ask, while the mute hangs, whether the participant is there at all.

        LiveKit's mute waits 3 s for a participant that is not there, where reading one answers
        at once. Only a clear "not there" settles it; whatever else is said, the mute decides.
        """
        probe = asyncio.create_task(self._is_absent(rooms, participant))
        try:
            await asyncio.wait({beside, probe}, return_when=asyncio.FIRST_COMPLETED)
            if not beside.done() and await probe:
                raise ParticipantNotFoundError
        finally:
            probe.cancel()

    async def _is_absent(self, rooms: RoomService, participant: Participant) -> bool:
        whom = RoomParticipantIdentity(room=participant.room, identity=participant.identity)
        try:
            await self._ask(rooms.get_participant(whom))
        except AbsentError:
            return True
        except RoomGatewayError:
            return False
        return False

    async def _ask(self, call: Awaitable[T]) -> T:
        """Await a call of livekit-api, which sets no bound in time, within ours."""
        try:
            async with asyncio.timeout(self.bounds.timeout_s):
                return await call
        except FOREIGN_ERRORS as error:
            raise translate(error) from None


def _look_at_outcome(task: asyncio.Task[Track]) -> None:
    """Spare the log an outcome that nobody waited for, where the caller was cancelled."""
    if not task.cancelled():
        task.exception()


@asynccontextmanager
async def open_gateway(
    *, url: str, api_key: Callable[[], ApiKey], bounds: Bounds
) -> AsyncIterator[LiveKitRoomGateway]:
    """Open a gateway to the LiveKit at a ``ws(s)://`` or ``http(s)://`` URL.

    Args:
        url: where LiveKit listens; checked by whoever reads the settings.
        api_key: gives the key of today, one of that LiveKit's.
        bounds: how long and how many.
    """
    async with make_session(bounds) as session:
        services = RoomServices(
            url=url, api_key=api_key, session=session, token_life_s=bounds.token_life_s
        )
        yield LiveKitRoomGateway(services=services, bounds=bounds)
