"""The back door to the rooms of a Janus server."""

import asyncio
import math
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import uuid4

from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from attrs import define, field
from janus_api import Janus
from janus_client import JanusClient
from livekit_mute.contract.rooms import Rooms, kind_of
from livekit_mute.domain.room import RoomName
from livekit_mute.domain.track import (
    Participant,
    ParticipantIdentity,
    TrackKind,
    TrackSid,
    TrackSource,
)
from typing_extensions import override


@define
class JanusRooms(Rooms):
    """Rooms of a server that runs for the tests."""

    _janus: Janus
    _admin_key: str
    _room_secret: str
    _process_id: int
    _clients: dict[Participant, JanusClient] = field(init=False, factory=dict)

    @override
    async def open(self, name: RoomName | None = None, *, metadata: str = "") -> RoomName:
        opened = name or RoomName(f"room-{uuid4().hex}")
        limits = {"publishers": 100}
        await self._ask("create", opened, admin_key=self._admin_key, description=metadata, **limits)
        return opened

    @override
    async def set_metadata(self, name: RoomName, metadata: str) -> None:
        await self._ask("edit", name, new_description=metadata)

    @override
    async def close(self, name: RoomName) -> None:
        await self._ask("destroy", name)

    @override
    async def join(self, room: RoomName, identity: ParticipantIdentity) -> Participant:
        participant = Participant(room=room, identity=identity)
        client = JanusClient(self._janus.http, self._janus.api_url, identity)
        await client.join(room)
        self._clients[participant] = client
        return participant

    @override
    async def leave(self, participant: Participant) -> None:
        await self._clients.pop(participant).leave()

    @override
    async def publish(
        self, participant: Participant, source: TrackSource = TrackSource.UNKNOWN
    ) -> TrackSid:
        is_video = kind_of(source) is TrackKind.VIDEO
        track = VideoStreamTrack() if is_video else AudioStreamTrack()
        return TrackSid(await self._clients[participant].publish(track, source.value))

    @override
    async def unpublish(self, participant: Participant, sid: TrackSid) -> None:
        """Unpublish the participant's only track; Janus has a request for all of them."""
        await self._clients[participant].unpublish()

    @override
    async def is_muted(self, participant: Participant, sid: TrackSid) -> bool:
        client = self._clients[participant]
        await client.ask(request="configure")  # its answer comes after all moderation so far
        return client.muted.get(sid, False)

    @override
    async def deny_mutes(self, participant: Participant, *, times: int) -> None:
        raise NotImplementedError

    @override
    async def deny_lookups(self, participant: Participant) -> None:
        raise NotImplementedError

    @override
    def unreachable(self) -> AbstractAsyncContextManager[None]:
        return self._stopped()

    @asynccontextmanager
    async def _stopped(self) -> AsyncIterator[None]:
        os.kill(self._process_id, signal.SIGSTOP)
        # Until it has stopped, it may go on to answer.
        await asyncio.to_thread(os.waitid, os.P_PID, self._process_id, os.WSTOPPED)
        try:
            yield
        finally:
            os.kill(self._process_id, signal.SIGCONT)

    async def disconnect_all(self) -> None:
        """Take everybody out of the rooms."""
        for client in self._clients.values():
            await client.leave()

    async def _ask(self, request: str, room: RoomName, **more: object) -> None:
        await self._janus.ask(
            math.inf, request=request, room=room, secret=self._room_secret, **more
        )
