"""Creates rooms and participants on a real LiveKit server, and deletes the rooms.

The process of the participants is terminated, because WebRTC may block its exit; another process
deletes the rooms.
"""

import argparse
import asyncio
import json
import os
import sys

from aiohttp import ClientError
from attrs import define, field
from cattrs import unstructure
from livekit import rtc
from livekit.api import (
    AccessToken,
    CreateRoomRequest,
    DeleteRoomRequest,
    ListRoomsRequest,
    LiveKitAPI,
    ServerError,
    VideoGrants,
)
from typing_extensions import override

from benchmarks.targets import Rooms, create_targets

_SAMPLE_RATE = 48_000
_EMPTY_FOR_S = 3600
_JOINING_AT_ONCE = 8


@define
class ServerRooms(Rooms):
    """Rooms on the server; participants publish silence and subscribe to nothing."""

    _api: LiveKitAPI
    _clients: list[rtc.Room] = field(init=False, factory=list)
    _audio: rtc.AudioSource = field(
        init=False, factory=lambda: rtc.AudioSource(_SAMPLE_RATE, 1, queue_size_ms=0)
    )
    _join_limit: asyncio.Semaphore = field(
        init=False, factory=lambda: asyncio.Semaphore(_JOINING_AT_ONCE)
    )

    @override
    async def open(self, name: str, *, metadata: str) -> None:
        await self._api.room.create_room(
            CreateRoomRequest(name=name, metadata=metadata, empty_timeout=_EMPTY_FOR_S)
        )

    @override
    async def join(self, room: str, identity: str) -> str:
        async with self._join_limit:
            client = rtc.Room()
            token = AccessToken().with_identity(identity)  # its key from the environment
            await client.connect(
                os.environ["LIVEKIT_URL"],
                token.with_grants(VideoGrants(room_join=True, room=room)).to_jwt(),
                rtc.RoomOptions(auto_subscribe=False),
            )
            self._clients.append(client)
            track = rtc.LocalAudioTrack.create_audio_track("microphone", self._audio)
            return (await client.local_participant.publish_track(track)).sid


async def participate(prefix: str, participants: int) -> None:
    """Keep the participants connected; print the targets in one line of JSON."""
    async with LiveKitAPI() as api:  # LIVEKIT_URL and the rest from the environment
        targets = await create_targets(
            ServerRooms(api),
            url=os.environ["LIVEKIT_URL"],
            prefix=prefix,
            participants=participants,
        )
        print(json.dumps(unstructure(targets)), flush=True)
        await asyncio.Event().wait()


async def remove(prefix: str) -> None:
    """Delete the rooms of an earlier process, and with them their participants."""
    async with LiveKitAPI() as api:
        for room in (await api.room.list_rooms(ListRoomsRequest())).rooms:
            if room.name.startswith(prefix):
                await api.room.delete_room(DeleteRoomRequest(room=room.name))


def main() -> None:
    """Create or remove rooms, as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prefix", required=True, help="prefix of the room names")
    parser.add_argument("--participants", type=int, default=100)
    parser.add_argument("--remove", action="store_true", help="delete those rooms instead")
    arguments = parser.parse_args()
    prefix, participants = arguments.prefix, arguments.participants
    try:
        asyncio.run(remove(prefix) if arguments.remove else participate(prefix, participants))
    except (ClientError, ServerError, rtc.ConnectError) as error:
        sys.exit(f"LiveKit at {os.environ['LIVEKIT_URL']}: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
