import pytest

from adapters.not_configured.room_gateway import NotConfiguredRoomGateway
from application.ports.room_gateway import RoomGatewayNotConfiguredError
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, TrackSid

ROOM = RoomName("room")
ALICE = Participant(room=ROOM, identity=ParticipantIdentity("alice"))


class TestNotConfiguredRoomGateway:
    async def test_fails_every_call_and_names_what_is_missing(self) -> None:
        gateway = NotConfiguredRoomGateway(missing=("LIVEKIT_URL", "LIVEKIT_API_KEY"))
        for call in (
            gateway.get_room(ROOM, deadline=0),
            gateway.mute_track(
                ALICE, TrackSid("TR_mic"), muted=True, room_was_read=False, deadline=0
            ),
            gateway.list_participants(ROOM, deadline=0),
            gateway.verify_access(deadline=0),
        ):
            with pytest.raises(RoomGatewayNotConfiguredError, match="LIVEKIT_URL, LIVEKIT_API_KEY"):
                await call
