"""Probes: is a participant absent, whom a mute has not reached yet?"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum, auto

from attrs import field, frozen

from adapters.livekit.errors import NO_ANSWER_IN_TIME, AbsentError
from application.ports.room_gateway import RoomGatewayError
from domain.room import RoomName
from domain.track import Participant, Track

_MAX_PROBES = 64
_GRACE_S = 0.1


class Presence(Enum):
    """What LiveKit says about a participant."""

    PRESENT = auto()
    ABSENT = auto()


@frozen
class Unknown:
    """Why it is not known whether a participant is there."""

    reason: str


Finding = Presence | Unknown


@frozen(kw_only=True)
class ParticipantProbe:
    """Looks for participants with GetParticipant, and with ListRooms for their rooms.

    GetParticipant may deny a participant who is there (after Redis has restarted empty), so a mute
    that is under way gets 0.1 s more to show the opposite. Under LiveKit's option
    ``enable_psrpc_for_get_list_participants``, it waits 3 s where there is no such room: a missing
    room stands for an absence as long as GetParticipant has not answered, be it with an error.
    """

    get_participant: Callable[[Participant, float], Awaitable[object]]
    """Reads a participant by a deadline, or raises ``AbsentError``."""
    find_room: Callable[[RoomName, float], Awaitable[object | None]]
    """Finds a room by a deadline; ``None`` where there is none."""
    _slots: asyncio.Semaphore = field(init=False, factory=lambda: asyncio.Semaphore(_MAX_PROBES))

    async def find(
        self,
        participant: Participant,
        mute: asyncio.Future[Track],
        *,
        room_probe_at: float | None,
        deadline: float,
    ) -> Finding:
        """Find out whether a participant is there.

        Args:
            participant: whom to look for.
            mute: the call that is under way; an absence counts once this has ended, or 0.1 s
                after LiveKit has said so.
            room_probe_at: from when on to look for the room too; ``None`` if it exists.
            deadline: when to give up.
        """
        person = asyncio.create_task(self._find_participant(participant, deadline))
        try:
            if room_probe_at is None or not await self._misses_room(
                participant.room, person, room_probe_at, deadline
            ):
                await asyncio.wait({person})
            return await _after_grace(person, mute)
        finally:
            person.cancel()

    async def _find_participant(self, participant: Participant, deadline: float) -> Finding:
        try:
            async with asyncio.timeout_at(deadline), self._slots:
                await self.get_participant(participant, deadline)
        except AbsentError:
            return Presence.ABSENT
        except RoomGatewayError as error:
            return Unknown(error.reason)
        except TimeoutError:
            return Unknown(NO_ANSWER_IN_TIME)
        return Presence.PRESENT

    async def _misses_room(
        self, name: RoomName, person: asyncio.Task[Finding], at: float, deadline: float
    ) -> bool:
        """Return whether the room is missing, unless the answer about the participant is first."""
        await asyncio.wait({person}, timeout=max(0.0, at - asyncio.get_running_loop().time()))
        if person.done():
            return False
        room = asyncio.ensure_future(self.find_room(name, deadline))
        try:
            await asyncio.wait({person, room}, return_when=asyncio.FIRST_COMPLETED)
            return not person.done() and room.result() is None
        except RoomGatewayError:
            return False
        finally:
            room.cancel()  # also keeps asyncio from logging a failure that is not retrieved


async def _after_grace(person: asyncio.Task[Finding], mute: asyncio.Future[Track]) -> Finding:
    """Give what may show the opposite of an absence a little time: GetParticipant, and the mute.

    ListRooms may not list a room that is in use, after Redis has restarted empty.
    """
    loop = asyncio.get_running_loop()
    grace_ends_at = loop.time() + _GRACE_S
    await asyncio.wait({person}, timeout=_GRACE_S)
    if person.done() and person.result() is not Presence.ABSENT:
        return person.result()
    await asyncio.wait({mute}, timeout=max(0.0, grace_ends_at - loop.time()))
    return Presence.ABSENT
