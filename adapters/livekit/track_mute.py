"""Mutes, and what LiveKit's ``not_found`` and its silence mean for the participant."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol

from attrs import field, frozen
from livekit.api import MuteRoomTrackRequest, MuteRoomTrackResponse

from adapters.http_client.telemetry import Attempt
from adapters.livekit.errors import AbsentError, PreconditionFailedError, UnusableAnswerError
from adapters.livekit.participant_probe import Finding, ParticipantProbe, Presence, Unknown
from application.ports.room_gateway import RemoteUnmuteDisabledError, RoomGatewayUnavailableError
from domain.track import (
    Participant,
    ParticipantNotFoundError,
    Track,
    TrackNotFoundError,
    TrackSid,
)

_FIRST = Attempt.FIRST  # found once: it takes a while in Python 3.11
_Find = Callable[[], Coroutine[Any, Any, Finding]]


class MuteCall(Protocol):
    """A call of MutePublishedTrack that was begun."""

    @abstractmethod
    async def wait(self, until: float) -> bool:
        """Wait at most until an instant; return whether LiveKit has answered with success."""

    @abstractmethod
    async def answer(self) -> MuteRoomTrackResponse:
        """Wait for the answer, or raise a ``RoomGatewayError``."""

    @abstractmethod
    def drop(self) -> None:
        """Give up the call; does nothing once it ended."""


@frozen(kw_only=True)
class TrackMute:
    """Mutes and unmutes tracks.

    LiveKit's mute waits 3 s for an absent participant, where reading one answers at once. So a
    mute without an answer after the probe delay gets a probe, in parallel. A mute's ``not_found``
    gets one at once, because it can come for a participant who is there.
    """

    begin: Callable[[MuteRoomTrackRequest, float, Attempt], MuteCall]
    """Sends a mute, to be answered by a deadline."""
    probe: ParticipantProbe
    probe_delay_s: float
    _loop: asyncio.AbstractEventLoop = field(init=False, factory=asyncio.get_running_loop)

    async def mute(
        self,
        participant: Participant,
        track_sid: TrackSid,
        *,
        muted: bool,
        room_was_read: bool,
        deadline: float,
    ) -> Track:
        """Mute or unmute one track; errors as the port has them.

        Besides the mute, this is at most one GetParticipant, one ListRooms and one more mute. That
        one follows an unknown track too: LiveKit knows no track while the first media of it arrive.
        """
        request = MuteRoomTrackRequest(
            room=participant.room, identity=participant.identity, track_sid=track_sid, muted=muted
        )
        probe_at = self._loop.time() + self.probe_delay_s
        call = self.begin(request, deadline, _FIRST)
        try:
            if await call.wait(min(probe_at, deadline)):  # nearly always, and without a task
                return await _read(call, request)
            mute = asyncio.create_task(_read(call, request))
            room_probe_at = None if room_was_read else probe_at
            find = partial(
                self.probe.find, participant, mute, room_probe_at=room_probe_at, deadline=deadline
            )
            return await _find_out(mute, find, probe_at)
        except (AbsentError, TrackNotFoundError):
            return await self._mute_again(request, deadline)
        finally:
            call.drop()

    async def _mute_again(self, request: MuteRoomTrackRequest, deadline: float) -> Track:
        try:
            return await _read(self.begin(request, deadline, Attempt.NOT_FOUND), request)
        except AbsentError:
            reason = "answered not_found about a participant who was there just before"
            raise RoomGatewayUnavailableError(reason=reason) from None


async def _read(call: MuteCall, request: MuteRoomTrackRequest) -> Track:
    try:
        answer = await call.answer()
    except PreconditionFailedError:
        if request.muted:
            raise
        raise RemoteUnmuteDisabledError from None
    if not answer.ByteSize():
        raise TrackNotFoundError
    if answer.track.sid != request.track_sid:
        raise UnusableAnswerError(reason="answered about another track")
    return Track(sid=TrackSid(request.track_sid), muted=answer.track.muted)


async def _find_out(mute: asyncio.Task[Track], find: _Find, probe_at: float) -> Track:
    """Wait for a mute that is slow or has failed; look for the participant from an instant on.

    Raises:
        AbsentError: the mute says so about a participant whom the probe finds.
    """
    try:
        left_s = probe_at - asyncio.get_running_loop().time()
        await asyncio.wait({mute}, timeout=max(0.0, left_s))  # or until its own deadline
        if mute.done() and not isinstance(mute.exception(), AbsentError):
            return mute.result()
        return await _decide(mute, find())
    finally:
        mute.cancel()  # also keeps asyncio from logging a failure that is not retrieved


async def _decide(mute: asyncio.Task[Track], find: Coroutine[Any, Any, Finding]) -> Track:
    """Take the mute's answer, or the absence that a probe finds first.

    Raises:
        AbsentError: the mute says so about a participant whom the probe finds.
    """
    probe = asyncio.create_task(find)
    try:
        await asyncio.wait({mute, probe}, return_when=asyncio.FIRST_COMPLETED)
        if not mute.done() and probe.result() is Presence.ABSENT:
            raise ParticipantNotFoundError
        return await mute
    except AbsentError:
        match await probe:
            case Presence.PRESENT:
                raise
            case Presence.ABSENT:
                raise ParticipantNotFoundError from None
            case Unknown(reason):
                reason = f"answered not_found, and the participant is unknown: {reason}"
                raise RoomGatewayUnavailableError(reason=reason) from None
    finally:
        probe.cancel()
