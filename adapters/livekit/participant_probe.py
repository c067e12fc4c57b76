"""Probes, which find out whether a participant is there whom a mute has not reached."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum, auto

from attrs import field, frozen

from adapters.http_client.errors import NO_ANSWER_IN_TIME
from adapters.livekit.errors import AbsentError
from application.ports.room_gateway import RoomGatewayError
from domain.room import RoomName
from domain.track import Participant, Track

_MAX_PROBES = 64
_MIN_GRACE_S, _MAX_GRACE_S = 0.1, 0.5


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
    that is under way gets more time to show the opposite: as much as the probe took, because that
    is long beside a LiveKit that pauses, but between 0.1 and 0.5 s. Under LiveKit's option
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
            mute: the call that is under way; an absence counts once this has ended, or some time
                after LiveKit has said so.
            room_probe_at: from when on to look for the room too; ``None`` if it exists.
            deadline: when to give up.
        """
        began_at = max(asyncio.get_running_loop().time(), room_probe_at or 0.0)
        presence = asyncio.create_task(self._find_participant(participant, deadline))
        try:
            if room_probe_at is None or not await self._is_room_missing(
                participant.room, presence, room_probe_at, deadline
            ):
                await asyncio.wait({presence})
            return await _after_grace(presence, mute, began_at)
        finally:
            presence.cancel()

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

    async def _is_room_missing(
        self, name: RoomName, presence: asyncio.Task[Finding], at: float, deadline: float
    ) -> bool:
        """Return whether LiveKit says so before it answers about the participant."""
        await asyncio.wait({presence}, timeout=max(0.0, at - asyncio.get_running_loop().time()))
        if presence.done():
            return False
        room = asyncio.ensure_future(self.find_room(name, deadline))
        try:
            await asyncio.wait({presence, room}, return_when=asyncio.FIRST_COMPLETED)
            return not presence.done() and room.result() is None
        except RoomGatewayError:
            return False
        finally:
            room.cancel()  # also keeps asyncio from logging a failure that is not retrieved


async def _after_grace(
    presence: asyncio.Task[Finding], mute: asyncio.Future[Track], began_at: float
) -> Finding:
    """Give what may show the opposite of an absence a little time: GetParticipant, and the mute.

    ListRooms may not list a room that is in use, after Redis has restarted empty.
    """
    loop = asyncio.get_running_loop()
    grace_s = min(max(_MIN_GRACE_S, loop.time() - began_at), _MAX_GRACE_S)
    grace_ends_at = loop.time() + grace_s
    await asyncio.wait({presence}, timeout=grace_s)
    if presence.done() and presence.result() is not Presence.ABSENT:
        return presence.result()
    await asyncio.wait({mute}, timeout=max(0.0, grace_ends_at - loop.time()))
    return Presence.ABSENT
