"""The room gateway over LiveKit's RoomService."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager

from attrs import field, frozen
from livekit.api import ListRoomsRequest, MuteRoomTrackRequest, RoomParticipantIdentity
from livekit.api.room_service import RoomService
from livekit.protocol.models import Room as LiveKitRoom
from typing_extensions import override

from adapters.livekit.api_key import ApiKey
from adapters.livekit.bounds import Bounds
from adapters.livekit.calls import ask, once_more_if_cut_off, translated
from adapters.livekit.errors import (
    AbsentError,
    PreconditionFailedError,
    UnusableAnswerError,
    translate,
)
from adapters.livekit.room_reads import RoomReads, Rooms
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
        return RoomReads(list_rooms=self._list_rooms, max_names=self.bounds.max_rooms_per_read)

    @override
    async def get_room(self, name: RoomName, *, until: float = math.inf) -> Room:
        room = await self._reads.read(name, self._soonest(until))
        if room is None:
            raise RoomNotFoundError(RoomNotFoundReason.MISSING)
        return Room.from_metadata(name, room.metadata)

    @override
    async def mute_track(
        self, participant: Participant, track_sid: TrackSid, *, muted: bool, until: float = math.inf
    ) -> Track:
        until = self._soonest(until)
        late = min(asyncio.get_running_loop().time() + self.bounds.probe_delay_s, until)
        rooms = self.services.of_room(participant.room)
        wish = MuteRoomTrackRequest(
            room=participant.room, identity=participant.identity, track_sid=track_sid, muted=muted
        )
        mute, absent = asyncio.timeout(None), False

        async def attend_to_it() -> None:
            """See, once the mute is late, to its end; it is due at once if nobody is there."""
            nonlocal absent
            mute.reschedule(until)
            absent = await self._is_absent(rooms, participant, until)
            if absent and not mute.expired():
                mute.reschedule(0)

        try:
            async with mute:
                with _at(late, attend_to_it):
                    return await self._mute(rooms, wish, until)
        except TimeoutError as error:
            if absent:
                raise ParticipantNotFoundError from None
            raise translate(error) from None

    @override
    async def verify_access(self, *, until: float = math.inf) -> None:
        await self._reads.read(_NOBODYS_ROOM, self._soonest(until))  # with others', under load

    async def _list_rooms(self, names: Collection[RoomName], until: float) -> Rooms:
        """Look rooms up by their names; each alone where what is said of all is unusable.

        It may be one of them that makes it so, for instance by its size.
        """
        try:
            return await self._list_together(names, until)
        except UnusableAnswerError:
            if len(names) == 1:
                raise
        found: dict[RoomName, LiveKitRoom | RoomGatewayError] = {}
        for name in names:
            try:
                found |= await self._list_together([name], until)
            except RoomGatewayError as error:
                found[name] = error
        return found

    async def _list_together(
        self, names: Collection[RoomName], until: float
    ) -> dict[RoomName, LiveKitRoom]:
        """Look up one room at least: a call without names would bring every room."""
        rooms, wish = self.services.for_listing(), ListRoomsRequest(names=names)
        answer = await ask(once_more_if_cut_off(lambda: rooms.list_rooms(wish)), until)
        found = {RoomName(room.name): room for room in answer.rooms[: len(names) + 1]}
        asked_for = len(found) == len(answer.rooms) and found.keys() <= set(names)
        if not asked_for or bool(found) != bool(answer.ByteSize()):
            raise UnusableAnswerError(reason="answered about another room")
        return found

    async def _mute(self, rooms: RoomService, wish: MuteRoomTrackRequest, until: float) -> Track:
        try:
            answer = await translated(rooms.mute_published_track(wish), until)
        except AbsentError:  # LiveKit Cloud; the open-source server says nothing for 3 s
            raise ParticipantNotFoundError from None
        except PreconditionFailedError:
            if wish.muted:
                raise
            raise RemoteUnmuteDisabledError from None
        if not answer.ByteSize():
            raise TrackNotFoundError
        if answer.track.sid != wish.track_sid:
            raise UnusableAnswerError(reason="answered about another track")
        return Track(sid=TrackSid(wish.track_sid), muted=answer.track.muted)

    async def _is_absent(self, rooms: RoomService, participant: Participant, until: float) -> bool:
        """Ask, while a mute hangs, whether LiveKit says clearly that nobody of that name is there.

        LiveKit's mute waits 3 s for a participant that is not there, where reading one answers
        at once. Whatever else is said, the mute decides.
        """
        whom = RoomParticipantIdentity(room=participant.room, identity=participant.identity)
        try:
            async with self._probes:
                await ask(rooms.get_participant(whom), until)
        except AbsentError:
            return True
        except RoomGatewayError:
            return False
        return False

    def _soonest(self, until: float) -> float:
        """Bound a time until which an answer is waited for.

        Raises:
            RoomGatewayUnavailableError: it is past.
        """
        now = asyncio.get_running_loop().time()
        if until <= now:
            raise RoomGatewayUnavailableError(reason="no time was left")
        return min(until, now + self.bounds.timeout_s)


@contextmanager
def _at(due: float, do: Callable[[], Coroutine[None, None, None]]) -> Iterator[None]:
    """Do something beside the block, if that lasts until it is due, and no longer than it."""
    begun: list[asyncio.Task[None]] = []
    timer = asyncio.get_running_loop().call_at(due, lambda: begun.append(asyncio.create_task(do())))
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
