"""Mute a microphone from a plain asyncio program, in rooms that are held in memory.

It needs no LiveKit and no server, like a first test of a program that embeds livekit-mute:

    pip install ..
    python script.py
"""

import asyncio

from livekit_mute.adapters.in_memory.room_gateway import InMemoryRoomGateway
from livekit_mute.adapters.in_memory.rooms import InMemoryRooms
from livekit_mute.application.list_tracks import ListTracks, ListTracksCommand
from livekit_mute.application.mute_track import MuteTrack, MuteTrackCommand
from livekit_mute.application.room_access import RoomAccess
from livekit_mute.domain.caller import Caller, IdentifiedCaller
from livekit_mute.domain.room import NotFoundError
from livekit_mute.domain.track import Participant, PublishedTrack, TrackSource

ALICE = Participant(room="standup", identity="alice")
MICROPHONE = PublishedTrack(sid="TR_microphone", muted=False, source=TrackSource.MICROPHONE)


def make_rooms() -> InMemoryRooms:
    """Make a room of tenant-a, in which Alice publishes her microphone."""
    rooms = InMemoryRooms(remote_unmute=True)
    rooms.put_room(ALICE.room, metadata='{"auth_id": "tenant-a"}')
    rooms.put_participant(ALICE)
    rooms.put_track(ALICE, MICROPHONE)
    return rooms


async def mute(access: RoomAccess, caller: Caller) -> str:
    """Mute Alice's microphone for a caller, and say what became of it."""
    command = MuteTrackCommand(
        caller=caller, participant=ALICE, track_sid=MICROPHONE.sid, muted=True
    )
    try:
        track = await MuteTrack(access=access).execute(command)
    except NotFoundError as error:
        return str(error)
    return "muted" if track.muted else "not muted"


async def main() -> None:
    """Mute for another tenant, then for the owner of the room, and list what came of it."""
    access = RoomAccess(gateway=InMemoryRoomGateway(make_rooms()))
    owner, stranger = IdentifiedCaller(id="tenant-a"), IdentifiedCaller(id="tenant-b")
    print("tenant-b:", await mute(access, stranger))
    print("tenant-a:", await mute(access, owner))
    command = ListTracksCommand(caller=owner, room=ALICE.room)
    for participant in await ListTracks(access=access).execute(command):
        for track in participant.tracks:
            state = "muted" if track.muted else "not muted"
            print(f"{participant.identity}: {track.source.value} {track.sid}, {state}")


if __name__ == "__main__":
    asyncio.run(main())
