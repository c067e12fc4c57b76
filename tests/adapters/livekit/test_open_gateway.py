"""The gateway as a program of somebody else's opens it: with a URL and a key, and no settings."""

import pytest
from pytest_aiohttp import AiohttpServer

from adapters.livekit.api_key import ApiKey
from adapters.livekit.room_gateway import open_gateway
from application.mute_track import MuteTrack, MuteTrackCommand
from application.room_access import RoomAccess
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.caller import IdentifiedCaller
from domain.track import Participant, PublishedTrack, Track

KEY = ApiKey(name="devkey", secret="a-secret-of-at-least-32-characters")


class TestOpenGateway:
    async def test_needs_a_url_and_a_key(self, aiohttp_server: AiohttpServer) -> None:
        alice, microphone = Participant(room="standup", identity="alice"), "TR_microphone"
        rooms = LiveKitRooms()
        rooms.put_room(alice.room, metadata='{"auth_id": "tenant-a"}')
        rooms.put_participant(alice)
        rooms.put_track(alice, PublishedTrack(sid=microphone, muted=False))
        double = LiveKitDouble(api_key=KEY.name, api_secret=KEY.secret, rooms=rooms)
        server = await aiohttp_server(double.app())
        async with open_gateway(url=str(server.make_url("/")), api_key=KEY) as gateway:
            track = await MuteTrack(access=RoomAccess(gateway=gateway)).execute(
                MuteTrackCommand(
                    caller=IdentifiedCaller(id="tenant-a"),
                    participant=alice,
                    track_sid=microphone,
                    muted=True,
                )
            )
        assert track == Track(sid=microphone, muted=True)

    @pytest.mark.parametrize(
        "url", ["", "livekit", "livekit.example.com:7880", "wsss://livekit.example.com", "ws:///x"]
    )
    async def test_rejects_a_url_that_names_no_server(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"^a server's URL is http\(s\):// or ws\(s\)://"):
            async with open_gateway(url=url, api_key=KEY):
                pass
