"""A LiveKit in virtual time, each of whose answers is given with the time that it takes."""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence

from attrs import define, field, frozen
from livekit.api import MuteRoomTrackRequest, MuteRoomTrackResponse, TrackInfo
from typing_extensions import override

from adapters.http_client.telemetry import Attempt
from adapters.livekit.errors import AbsentError, PreconditionFailedError
from adapters.livekit.participant_probe import ParticipantProbe
from adapters.livekit.track_mute import MuteCall, TrackMute
from application.ports.room_gateway import (
    RemoteUnmuteDisabledError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)
from domain.room import RoomName
from domain.track import ParticipantNotFoundError, Track, TrackNotFoundError
from tests.adapters.livekit.canned import ALICE, SID
from tests.support.virtual_time import now, run_in_virtual_time

PROBE_DELAY_S, DEADLINE_S = 0.1, 5.0
NEVER_S = 3600.0

MUTED = MuteRoomTrackResponse(track=TrackInfo(sid=SID, muted=True))
NO_TRACK = MuteRoomTrackResponse()
THERE = object()
ABSENT = AbsentError(reason="answered 404 with not_found")
DOWN = RoomGatewayUnavailableError(reason="answered 503 with unavailable")
REFUSED = RoomGatewayRefusedError(reason="answered 401 with unauthenticated")
NO_UNMUTE = PreconditionFailedError(reason="answered 412 with failed_precondition")

Answer = tuple[float, object]
"""After how many seconds it comes, and what: an error, or what is returned."""
HANGS: Answer = (NEVER_S, None)
OUTCOMES = {
    ParticipantNotFoundError: "no participant",
    TrackNotFoundError: "no track",
    RoomGatewayUnavailableError: "unavailable",
    RoomGatewayRefusedError: "refused",
    RemoteUnmuteDisabledError: "no unmute",
    Track: "muted",
    asyncio.CancelledError: "cancelled",
}


@frozen
class Script:
    """The answers to the mutes in order, to GetParticipant and to ListRooms.

    The room is looked for only where its answer is given: the caller has no id then.
    """

    mutes: Sequence[Answer]
    get: Answer = HANGS
    rooms: Answer | None = None
    deadline_s: float = DEADLINE_S
    muted: bool = True


@frozen
class Outcome:
    """What came of a mute, when, and after which calls: M, G and L, in order."""

    what: str
    at_s: float
    calls: str
    reason: str
    under_way: int
    """The calls that had not ended."""

    @override
    def __str__(self) -> str:
        return f"{self.what} at {self.at_s:g} after {self.calls}"


@define
class ScriptedLiveKit:
    """Answers by a script."""

    script: Script
    calls: list[str] = field(init=False, factory=list)
    _mutes: deque[Answer] = field(init=False)
    _under_way: Counter[str] = field(init=False, factory=Counter)

    def __attrs_post_init__(self) -> None:
        self._mutes = deque(self.script.mutes)

    def begin(self, _: MuteRoomTrackRequest, deadline: float, __: Attempt) -> "ScriptedCall":
        return ScriptedCall(asyncio.create_task(self._answer("M", self._mutes.popleft(), deadline)))

    async def get_participant(self, _: object, deadline: float) -> object:
        return await self._answer("G", self.script.get, deadline)

    async def find_room(self, _: RoomName, deadline: float) -> object | None:
        assert self.script.rooms is not None
        return await self._answer("L", self.script.rooms, deadline)

    async def mute(self) -> Outcome:
        probe = ParticipantProbe(get_participant=self.get_participant, find_room=self.find_room)
        mutes = TrackMute(begin=self.begin, probe=probe, probe_delay_s=PROBE_DELAY_S)
        mute = mutes.mute(
            ALICE,
            SID,
            muted=self.script.muted,
            room_was_read=self.script.rooms is None,
            deadline=self.script.deadline_s,
        )
        (end,) = await asyncio.gather(mute, return_exceptions=True)
        return await self.outcome(end)

    async def outcome(self, end: object) -> Outcome:
        at_s = round(now(), 6)
        for _ in range(10):  # what is cancelled may take some turns of the loop to end
            await asyncio.sleep(0)
        return Outcome(
            what=OUTCOMES.get(type(end), repr(end)),
            at_s=at_s,
            calls="".join(self.calls),
            reason=getattr(end, "reason", ""),
            under_way=self._under_way.total(),
        )

    async def _answer(self, call: str, answer: Answer, deadline: float) -> object:
        self.calls.append(call)
        self._under_way[call] += 1
        try:
            async with asyncio.timeout_at(deadline):
                await asyncio.sleep(answer[0])
        except TimeoutError:
            raise RoomGatewayUnavailableError(reason="no answer before the deadline") from None
        finally:
            self._under_way[call] -= 1
        if isinstance(answer[1], Exception):
            raise answer[1]
        return answer[1]


@frozen
class ScriptedCall(MuteCall):
    """A mute that is answered by a script."""

    _answer: asyncio.Task[object]

    @override
    async def wait(self, until: float) -> bool:
        await asyncio.wait({self._answer}, timeout=max(0.0, until - now()))
        return self._answer.done() and self._answer.exception() is None

    @override
    async def answer(self) -> MuteRoomTrackResponse:
        answer = await self._answer
        assert isinstance(answer, MuteRoomTrackResponse)
        return answer

    @override
    def drop(self) -> None:
        self._answer.cancel()


def outcome_of(script: Script) -> Outcome:
    return run_in_virtual_time(ScriptedLiveKit(script).mute())
