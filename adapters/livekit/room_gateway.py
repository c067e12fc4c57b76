"""The room gateway over LiveKit's RoomService."""

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Iterator,
    Mapping,
)
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from attrs import field, frozen
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
from adapters.livekit.room_reads import RoomReads
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

_AT_ONCE = 0.0
_MAX_PROBES = 64
_NOBODYS_ROOM = RoomName("livekit-mute-verifies-its-access")


@frozen(kw_only=True)
class LiveKitRoomGateway(RoomGateway):
    """Asks LiveKit anew for each call, within its bounds; reads of rooms are gathered."""

    services: RoomServices
    bounds: Bounds
    _reads: RoomReads = field(init=False)
    _probes: asyncio.Semaphore = field(init=False, factory=lambda: asyncio.Semaphore(_MAX_PROBES))

    @_reads.default
    def _make_reads(self) -> RoomReads:
        return RoomReads(
            list_rooms=self._list_rooms,
            max_names=self.bounds.max_rooms_per_read,
            patience_s=self.bounds.probe_delay_s,
        )

    @override
    async def get_room(self, name: RoomName) -> Room:
        room = await self._reads.read(name)
        if room is None:
            raise RoomNotFoundError(RoomNotFoundReason.MISSING)
        return Room.from_metadata(name, room.metadata)

    @override
    async def mute_track(
        self, participant: Participant, track_sid: TrackSid, *, muted: bool
    ) -> Track:
        rooms = self.services.of_room(participant.room)
        until = asyncio.get_running_loop().time() + self.bounds.timeout_s
        mute = asyncio.timeout(None)
        try:
            async with mute:
                with _after(
                    min(self.bounds.probe_delay_s, self.bounds.timeout_s),
                    lambda: self._attend_to(mute, until, rooms, participant),
                ):
                    return await self._mute(rooms, participant, track_sid, muted=muted)
        except TimeoutError as error:
            if mute.when() == _AT_ONCE:
                raise ParticipantNotFoundError from None
            raise translate(error) from None

    @override
    async def verify_access(self) -> None:
        await self._list_rooms([_NOBODYS_ROOM])

    async def _list_rooms(self, names: Collection[RoomName]) -> Mapping[RoomName, LiveKitRoom]:
        """Look rooms up by their names, one at least: none would bring every room."""
        rooms = self.services.for_listing()
        answer = await self._ask(rooms.list_rooms(ListRoomsRequest(names=names)))
        found = {RoomName(room.name): room for room in answer.rooms}
        asked_for = len(found) == len(answer.rooms) and found.keys() <= set(names)
        if not asked_for or bool(found) != bool(answer.ByteSize()):
            raise RoomGatewayUnavailableError(reason="answered about another room")
        return found

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
            answer = await _translated(rooms.mute_published_track(wish))
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

    async def _attend_to(
        self, mute: asyncio.Timeout, until: float, rooms: RoomService, participant: Participant
    ) -> None:
        """End a mute that is late when its time is up, or at once if its participant is not there.

        LiveKit's mute waits 3 s for a participant that is not there, where reading one answers
        at once. Only a clear "not there" settles it; whatever else is said, the mute decides.
        """
        mute.reschedule(until)
        whom = RoomParticipantIdentity(room=participant.room, identity=participant.identity)
        try:
            async with self._probes:
                await self._ask(rooms.get_participant(whom))
        except AbsentError:
            if not mute.expired():
                mute.reschedule(_AT_ONCE)
        except RoomGatewayError:
            pass

    async def _ask(self, call: Awaitable[T]) -> T:
        """Await a call of livekit-api, which sets no bound in time, within ours."""
        try:
            async with asyncio.timeout(self.bounds.timeout_s):
                return await _translated(call)
        except TimeoutError as error:
            raise translate(error) from None


async def _translated(call: Awaitable[T]) -> T:
    try:
        return await call
    except FOREIGN_ERRORS as error:
        raise translate(error) from None


@contextmanager
def _after(delay_s: float, do: Callable[[], Coroutine[None, None, None]]) -> Iterator[None]:
    """Do something beside the block, if that takes longer than a while, and no longer than it."""
    begun: list[asyncio.Task[None]] = []
    timer = asyncio.get_running_loop().call_later(
        delay_s, lambda: begun.append(asyncio.create_task(do()))
    )
    try:
        yield
    finally:
        timer.cancel()
        for task in begun:
            task.cancel()


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
