"""The demo: one room of tenant ``demo``, with one participant who publishes a microphone."""

import json

from attrs import frozen

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from adapters.in_memory.rooms import InMemoryRooms
from domain.caller import TenantId
from domain.room import RoomName
from domain.track import (
    Participant,
    ParticipantIdentity,
    PublishedTrack,
    TrackSid,
    TrackSource,
)


@frozen(kw_only=True)
class Demo:
    """The demo's track, its participant and the tenant that owns the room."""

    participant: Participant
    track_sid: TrackSid
    tenant: TenantId


DEMO = Demo(
    participant=Participant(room=RoomName("demo-room"), identity=ParticipantIdentity("alice")),
    track_sid=TrackSid("TR_demo_mic"),
    tenant=TenantId("tenant-a"),
)


def demo_room_gateway() -> InMemoryRoomGateway:
    """Make a gateway to the demo's room, with remote unmute enabled."""
    rooms = InMemoryRooms(remote_unmute=True)
    rooms.put_room(DEMO.participant.room, metadata=json.dumps({"auth_id": DEMO.tenant}))
    rooms.put_participant(DEMO.participant)
    microphone = PublishedTrack(sid=DEMO.track_sid, muted=False, source=TrackSource.MICROPHONE)
    rooms.put_track(DEMO.participant, microphone)
    return InMemoryRoomGateway(rooms)
