"""Fills a real LiveKit server with rooms and participants, and empties it again.

The participants' process is just ended, for WebRTC may not let it end by itself; another one
closes the rooms.
"""

import argparse
import asyncio
import json
import os

from attrs import define, field
from cattrs import unstructure
from livekit import rtc
from livekit.api import (
    AccessToken,
    CreateRoomRequest,
    DeleteRoomRequest,
    ListRoomsRequest,
    LiveKitAPI,
    VideoGrants,
)
from typing_extensions import override

from benchmarks.stage import Rooms, arrange

_SAMPLE_RATE = 48_000
_EMPTY_FOR_S = 3600
_JOINING_AT_ONCE = 8


@define
class ServerRooms(Rooms):
    """Rooms on the server, with participants who say nothing and hear nothing."""

    _api: LiveKitAPI
    _guests: list[rtc.Room] = field(init=False, factory=list)
    _silence: rtc.AudioSource = field(
        init=False, factory=lambda: rtc.AudioSource(_SAMPLE_RATE, 1, queue_size_ms=0)
    )
    _door: asyncio.Semaphore = field(
        init=False, factory=lambda: asyncio.Semaphore(_JOINING_AT_ONCE)
    )

    @override
    async def open(self, name: str, *, metadata: str) -> None:
        await self._api.room.create_room(
            CreateRoomRequest(name=name, metadata=metadata, empty_timeout=_EMPTY_FOR_S)
        )

    @override
    async def join(self, room: str, identity: str) -> str:
        async with self._door:
            guest = rtc.Room()
            token = AccessToken().with_identity(identity)  # its key from the environment
            await guest.connect(
                os.environ["LIVEKIT_URL"],
                token.with_grants(VideoGrants(room_join=True, room=room)).to_jwt(),
                rtc.RoomOptions(auto_subscribe=False),
            )
            self._guests.append(guest)
            track = rtc.LocalAudioTrack.create_audio_track("microphone", self._silence)
            return (await guest.local_participant.publish_track(track)).sid


async def stay(prefix: str, participants: int) -> None:
    """Stay until the process is ended; say in one line of JSON who is there."""
    async with LiveKitAPI() as api:  # LIVEKIT_URL and the rest from the environment
        stage = await arrange(
            ServerRooms(api),
            url=os.environ["LIVEKIT_URL"],
            prefix=prefix,
            participants=participants,
        )
        print(json.dumps(unstructure(stage)), flush=True)
        await asyncio.Event().wait()


async def remove(prefix: str) -> None:
    """Close the rooms of an earlier process, whereupon the server forgets everybody in them."""
    async with LiveKitAPI() as api:
        for room in (await api.room.list_rooms(ListRoomsRequest())).rooms:
            if room.name.startswith(prefix):
                await api.room.delete_room(DeleteRoomRequest(room=room.name))


def main() -> None:
    """Fill the server as the arguments say, or empty it again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prefix", required=True, help="how the names of its rooms begin")
    parser.add_argument("--participants", type=int, default=100)
    parser.add_argument("--remove", action="store_true", help="close those rooms instead")
    arguments = parser.parse_args()
    if arguments.remove:
        asyncio.run(remove(arguments.prefix))
    else:
        asyncio.run(stay(arguments.prefix, arguments.participants))


if __name__ == "__main__":
    main()
