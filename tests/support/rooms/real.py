"""The back door to the rooms of a real LiveKit server, with participants over real WebRTC."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from uuid import uuid4

from attrs import define, field
from livekit import rtc
from livekit.api import (
    AccessToken,
    CreateRoomRequest,
    DeleteRoomRequest,
    ListRoomsRequest,
    LiveKitAPI,
    MuteRoomTrackRequest,
    RoomParticipantIdentity,
    ServerError,
    ServerErrorCode,
    UpdateParticipantRequest,
    UpdateRoomMetadataRequest,
    VideoGrants,
)
from typing_extensions import override

from contract.rooms import Rooms, kind_of
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, TrackKind, TrackSid, TrackSource
from tests.support.livekit_cluster import RealLiveKit
from tests.support.livekit_server import LiveKitServer
from tests.support.timeouts import scaled

_TIMEOUT_S = scaled(100.0)
_POLL_S = 0.01
_SAMPLE_RATE = 48_000
_WIDTH = 64
_SOURCES = {
    TrackSource.UNKNOWN: rtc.TrackSource.SOURCE_UNKNOWN,
    TrackSource.CAMERA: rtc.TrackSource.SOURCE_CAMERA,
    TrackSource.MICROPHONE: rtc.TrackSource.SOURCE_MICROPHONE,
    TrackSource.SCREEN_SHARE: rtc.TrackSource.SOURCE_SCREENSHARE,
    TrackSource.SCREEN_SHARE_AUDIO: rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO,
}


@define
class RealRooms(Rooms):
    """Rooms on a server, which other tests use too, so that every name is a new one."""

    _server: LiveKitServer
    _asked: LiveKitServer
    """The one that the gateway asks: in a cluster, not the one with the rooms."""
    _api: LiveKitAPI
    _clients: dict[Participant, rtc.Room] = field(init=False, factory=dict)
    _sources: list[rtc.AudioSource | rtc.VideoSource] = field(init=False, factory=list)

    @override
    async def open(self, name: RoomName | None = None, *, metadata: str = "") -> RoomName:
        opened = name or RoomName(f"room-{uuid4().hex}")
        await self._api.room.create_room(
            CreateRoomRequest(name=opened, metadata=metadata, node_id=self._server.node_id)
        )
        return opened

    @override
    async def set_metadata(self, name: RoomName, metadata: str) -> None:
        """Wait for the list of rooms too: in a cluster, the answer may come before it changes."""
        await self._api.room.update_room_metadata(
            UpdateRoomMetadataRequest(room=name, metadata=metadata)
        )
        await _until_not(partial(self._is_listed_otherwise, name, metadata))

    @override
    async def close(self, name: RoomName) -> None:
        """Delete a room, which a cluster may deny where the last participant has just left."""
        await _is_found(partial(self._api.room.delete_room, DeleteRoomRequest(room=name)))
        await _until_not(partial(self._is_listed, name))

    @override
    async def join(self, room: RoomName, identity: ParticipantIdentity) -> Participant:
        client = rtc.Room()
        grants = VideoGrants(room_join=True, room=room, can_update_own_metadata=True)
        token = AccessToken(self._server.api_key, self._server.api_secret)
        await client.connect(
            self._server.url, token.with_identity(identity).with_grants(grants).to_jwt()
        )
        participant = Participant(room=room, identity=identity)
        self._clients[participant] = client
        return participant

    @override
    async def leave(self, participant: Participant) -> None:
        """Have the server remove them: about one in a hundred disconnects of clients gets lost."""
        asked = RoomParticipantIdentity(room=participant.room, identity=participant.identity)
        await _is_found(partial(self._api.room.remove_participant, asked))
        await self._clients.pop(participant).disconnect()
        await _until_not(partial(_is_found, partial(self._api.room.get_participant, asked)))

    @override
    async def publish(
        self, participant: Participant, source: TrackSource = TrackSource.UNKNOWN
    ) -> TrackSid:
        options = rtc.TrackPublishOptions(source=_SOURCES[source])
        publication = await self._clients[participant].local_participant.publish_track(
            self._video() if kind_of(source) is TrackKind.VIDEO else self._audio(), options
        )
        return TrackSid(publication.sid)

    @override
    async def unpublish(self, participant: Participant, sid: TrackSid) -> None:
        """Wait for the track's media first: one in ten that are unpublished earlier stays there."""
        await _until_not(partial(self._is_pending, participant, sid))
        await self._clients[participant].local_participant.unpublish_track(sid)
        await _until_not(partial(self._is_published, participant, sid))

    @override
    async def is_muted(self, participant: Participant, sid: TrackSid) -> bool:
        """Ask the participant's client once it has received all that the server has sent to it.

        What the server sends to one client arrives in order, so a message of our own comes last.
        The client repeats each mute to the server, which a later unmute must not overtake: so the
        server has to have answered a request of the client's, too.
        """
        client = self._clients[participant]
        received = asyncio.Event()
        message = uuid4().hex

        @client.on("participant_metadata_changed")
        def on_metadata(_: rtc.Participant, _old: str, new: str) -> None:
            if new == message:
                received.set()

        await self._api.room.update_participant(
            UpdateParticipantRequest(
                room=participant.room, identity=participant.identity, metadata=message
            )
        )
        async with asyncio.timeout(_TIMEOUT_S):
            await received.wait()
        client.off("participant_metadata_changed", on_metadata)
        await client.local_participant.set_metadata("")
        return client.local_participant.track_publications[sid].muted

    @override
    async def deny_mutes(self, participant: Participant, *, times: int) -> None:
        raise NotImplementedError

    @override
    async def deny_lookups(self, participant: Participant) -> None:
        raise NotImplementedError

    @override
    def unreachable(self) -> AbstractAsyncContextManager[None]:
        return self._unreachable()

    @asynccontextmanager
    async def _unreachable(self) -> AsyncIterator[None]:
        with self._asked.stopped():
            yield

    async def disconnect_all(self) -> None:
        """Disconnect every participant, without waiting until the server has noticed."""
        for client in self._clients.values():
            await client.disconnect()
        for source in self._sources:
            await source.aclose()

    def _audio(self) -> rtc.LocalAudioTrack:
        source = rtc.AudioSource(_SAMPLE_RATE, 1)
        self._sources.append(source)
        return rtc.LocalAudioTrack.create_audio_track("audio", source)

    def _video(self) -> rtc.LocalVideoTrack:
        source = rtc.VideoSource(_WIDTH, _WIDTH)
        self._sources.append(source)
        return rtc.LocalVideoTrack.create_video_track("video", source)

    async def _is_listed(self, name: RoomName) -> bool:
        listed = await self._api.room.list_rooms(ListRoomsRequest(names=[name]))
        return bool(listed.rooms)

    async def _is_listed_otherwise(self, name: RoomName, metadata: str) -> bool:
        listed = await self._api.room.list_rooms(ListRoomsRequest(names=[name]))
        return any(room.metadata != metadata for room in listed.rooms)

    async def _is_pending(self, participant: Participant, sid: TrackSid) -> bool:
        asked = RoomParticipantIdentity(room=participant.room, identity=participant.identity)
        info = await self._api.room.get_participant(asked)
        return sid not in {track.sid for track in info.tracks}

    async def _is_published(self, participant: Participant, sid: TrackSid) -> bool:
        """Ask in the one way that does not lag; what the question does to the track is no loss."""
        answer = await self._api.room.mute_published_track(
            MuteRoomTrackRequest(
                room=participant.room, identity=participant.identity, track_sid=sid, muted=True
            )
        )
        return answer.HasField("track")


@asynccontextmanager
async def rooms_on(livekit: RealLiveKit) -> AsyncIterator[RealRooms]:
    """Open the back door to a LiveKit's rooms, and disconnect every participant at the end."""
    server, asked = (
        (livekit, livekit)
        if isinstance(livekit, LiveKitServer)
        else (livekit.room_node, livekit.service_node)
    )
    async with LiveKitAPI(server.url, server.api_key, server.api_secret, failover=False) as api:
        rooms = RealRooms(server, asked, api)
        try:
            yield rooms
        finally:
            await rooms.disconnect_all()


async def _is_found(ask: Callable[[], Awaitable[object]]) -> bool:
    """Ask until LiveKit's nodes reach each other; on a busy machine their 3 s may be too short."""
    async with asyncio.timeout(_TIMEOUT_S):
        while True:
            try:
                await ask()
            except ServerError as error:
                if error.code == ServerErrorCode.NOT_FOUND:
                    return False
                if error.code != ServerErrorCode.UNAVAILABLE:
                    raise
            else:
                return True


async def _until_not(question: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(_TIMEOUT_S):
        while await question():  # noqa: ASYNC110 - the answer is in another process
            await asyncio.sleep(_POLL_S)
