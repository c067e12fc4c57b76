"""Mutes, each with a probe that finds out early whether the participant is absent."""

import asyncio

from attrs import field, frozen
from livekit.api import MuteRoomTrackRequest

from adapters.livekit.errors import AbsentError, PreconditionFailedError, UnusableAnswerError
from adapters.livekit.room_service import RoomServiceClient
from application.ports.room_gateway import RemoteUnmuteDisabledError, RoomGatewayError
from domain.track import (
    Participant,
    ParticipantNotFoundError,
    Track,
    TrackNotFoundError,
    TrackSid,
)

_MAX_PROBES = 64


@frozen(kw_only=True)
class TrackMute:
    """Mutes and unmutes tracks.

    LiveKit's mute waits 3 s for an absent participant, where reading one answers at once. So a
    mute without an answer after the probe delay gets a probe: GetParticipant, in parallel.
    """

    client: RoomServiceClient
    probe_delay_s: float
    _probes: asyncio.Semaphore = field(init=False, factory=lambda: asyncio.Semaphore(_MAX_PROBES))

    async def mute(
        self, participant: Participant, track_sid: TrackSid, *, muted: bool, deadline: float
    ) -> Track:
        """Mute or unmute one track; errors as the port has them."""
        request = MuteRoomTrackRequest(
            room=participant.room, identity=participant.identity, track_sid=track_sid, muted=muted
        )
        mute = asyncio.create_task(self._mute(request, deadline))
        probe: asyncio.Task[bool] | None = None
        try:
            await asyncio.wait({mute}, timeout=self.probe_delay_s)  # or until its own deadline
            if not mute.done():
                probe = asyncio.create_task(self._is_absent(participant, deadline))
                await asyncio.wait({mute, probe}, return_when=asyncio.FIRST_COMPLETED)
                if not mute.done() and probe.result():
                    raise ParticipantNotFoundError
            return await mute
        finally:
            mute.cancel()  # also keeps asyncio from logging a failure that is not retrieved
            if probe is not None:
                probe.cancel()

    async def _mute(self, request: MuteRoomTrackRequest, deadline: float) -> Track:
        try:
            answer = await self.client.mute_published_track(request, deadline)
        except AbsentError:  # LiveKit Cloud; the open-source server says nothing for 3 s
            raise ParticipantNotFoundError from None
        except PreconditionFailedError:
            if request.muted:
                raise
            raise RemoteUnmuteDisabledError from None
        if not answer.ByteSize():
            raise TrackNotFoundError
        if answer.track.sid != request.track_sid:
            raise UnusableAnswerError(reason="answered about another track")
        return Track(sid=TrackSid(request.track_sid), muted=answer.track.muted)

    async def _is_absent(self, participant: Participant, deadline: float) -> bool:
        """Return whether LiveKit says so; whatever else it says, the mute decides."""
        try:
            async with self._probes:
                await self.client.get_participant(participant, deadline)
        except AbsentError:
            return True
        except RoomGatewayError:
            return False
        return False
