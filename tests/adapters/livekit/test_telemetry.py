"""What a telemetry is told of the calls to LiveKit, and what it sends along."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from pytest_aiohttp import AiohttpServer

from adapters.livekit.api_key import ApiKey
from adapters.livekit.limits import LiveKitLimits
from adapters.livekit.room_gateway import LiveKitRoomGateway, open_gateway
from application.ports.room_gateway import RoomGatewayError
from contract.livekit_answers import Answer, hang_up, http_response, silence, twirp_error
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.room import RoomName
from domain.track import (
    Participant,
    ParticipantIdentity,
    ParticipantNotFoundError,
    PublishedTrack,
    TrackNotFoundError,
    TrackSid,
)
from tests.adapters.livekit.canned import ALICE, SID
from tests.adapters.livekit.livekit_servers import HOUR_S, SECRET, within
from tests.support.recorded_calls import RecordedCalls

MUTE = "MutePublishedTrack"
NOBODY = Participant(room=ALICE.room, identity=ParticipantIdentity("nobody"))


@pytest.fixture
def double() -> LiveKitDouble:
    rooms = LiveKitRooms(absent_wait_s=HOUR_S)
    rooms.put_room(ALICE.room)
    rooms.put_participant(ALICE)
    rooms.put_track(ALICE, PublishedTrack(sid=SID, muted=False))
    return LiveKitDouble(api_key="key", api_secret=SECRET, rooms=rooms)


@pytest.fixture
def told() -> RecordedCalls:
    return RecordedCalls()


@pytest.fixture
def probe_delay_s() -> float:
    """No probes beside a mute, unless a test overrides it."""
    return HOUR_S


@pytest.fixture
async def gateway(
    double: LiveKitDouble,
    told: RecordedCalls,
    aiohttp_server: AiohttpServer,
    probe_delay_s: float,
) -> AsyncIterator[LiveKitRoomGateway]:
    server = await aiohttp_server(double.app())
    async with open_gateway(
        url=str(server.make_url("/")),
        api_key=ApiKey(name="key", secret=SECRET),
        limits=LiveKitLimits(max_connections=10, probe_delay_s=probe_delay_s),
        telemetry=told.telemetry,
    ) as gateway:
        yield gateway


async def mute(
    gateway: LiveKitRoomGateway, whom: Participant = ALICE, *, seconds: float = HOUR_S
) -> None:
    await gateway.mute_track(whom, SID, muted=True, room_was_read=True, deadline=within(seconds))


async def read(gateway: LiveKitRoomGateway, *, seconds: float = HOUR_S) -> None:
    await gateway.get_room(ALICE.room, deadline=within(seconds))


class TestCalls:
    async def test_are_reported_and_carry_headers(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble, told: RecordedCalls
    ) -> None:
        await read(gateway)
        await mute(gateway)
        assert told.outcomes == [("ListRooms", "ok"), (MUTE, "ok")]
        assert told.counted == [("ListRooms", "first", 1, "ok"), (MUTE, "first", 0, "ok")]
        assert [each.rooms for each in told.calls] == [1, 0]
        assert double.headers["ListRooms"]["traceparent"] == "trace-0"
        assert double.headers[MUTE]["traceparent"] == "trace-1"
        assert told.open_connections == 1

    @pytest.mark.parametrize(
        ("answer", "outcome"),
        [
            (twirp_error("unavailable"), "unavailable"),
            (twirp_error("permission_denied"), "refused"),
            (twirp_error("failed_precondition"), "refused"),
            (http_response(302, content_type="text/html", body=""), "unusable"),
            (http_response(200, content_type="text/html", body="hello"), "unusable"),
            (http_response(502, content_type="text/html", body="hello"), "unavailable"),
            (hang_up, "lost"),
        ],
    )
    async def test_end_with_what_became_of_them(
        self,
        gateway: LiveKitRoomGateway,
        double: LiveKitDouble,
        told: RecordedCalls,
        answer: Answer,
        outcome: str,
    ) -> None:
        double.fail(MUTE, answer)
        with suppress(RoomGatewayError):
            await mute(gateway)
        assert told.outcomes == [(MUTE, outcome)]

    async def test_without_an_answer_time_out(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble, told: RecordedCalls
    ) -> None:
        double.fail("ListRooms", silence)
        with pytest.raises(RoomGatewayError):
            await read(gateway, seconds=0.1)
        assert told.outcomes == [("ListRooms", "timeout")]

    @pytest.mark.parametrize("probe_delay_s", [0.05])
    async def test_are_dropped_where_nobody_waits_for_them(
        self, gateway: LiveKitRoomGateway, told: RecordedCalls
    ) -> None:
        with pytest.raises(ParticipantNotFoundError):
            await mute(gateway, NOBODY)
        assert told.outcomes == [(MUTE, "dropped"), ("GetParticipant", "not_found")]

    async def test_cannot_connect(self) -> None:
        told = RecordedCalls()
        key = ApiKey(name="key", secret=SECRET)
        async with open_gateway(
            url="http://127.0.0.1:1", api_key=key, telemetry=told.telemetry
        ) as gateway:
            with pytest.raises(RoomGatewayError):
                await read(gateway)
        assert told.outcomes == [("ListRooms", "cannot_connect")]
        assert told.open_connections == 0


class TestAttempts:
    async def test_after_a_lost_connection(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble, told: RecordedCalls
    ) -> None:
        double.fail_next("ListRooms", hang_up)
        await read(gateway)
        assert told.attempts == [("ListRooms", "first"), ("ListRooms", "lost")]
        assert told.outcomes == [("ListRooms", "lost"), ("ListRooms", "ok")]

    async def test_beside_a_silent_connection(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble, told: RecordedCalls
    ) -> None:
        await read(gateway)
        double.fail_next("ListRooms", silence)
        await read(gateway, seconds=1)
        assert told.attempts[1:] == [("ListRooms", "first"), ("ListRooms", "silent")]
        assert told.outcomes[1:] == [("ListRooms", "dropped"), ("ListRooms", "ok")]

    async def test_with_another_token(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble, told: RecordedCalls
    ) -> None:
        double.fail_next(MUTE, http_response(401, content_type="text/plain", body="invalid token"))
        await mute(gateway)
        assert told.attempts == [(MUTE, "first"), (MUTE, "token_refused")]
        assert told.outcomes == [(MUTE, "token_refused"), (MUTE, "ok")]

    async def test_after_a_track_or_a_participant_was_not_found(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble, told: RecordedCalls
    ) -> None:
        double.fail_next(MUTE, twirp_error("not_found"))
        await mute(gateway)
        again = [(MUTE, "first"), ("GetParticipant", "first"), (MUTE, "not_found")]
        assert told.attempts == again
        with pytest.raises(TrackNotFoundError):
            await gateway.mute_track(
                ALICE, TrackSid("TR_no"), muted=True, room_was_read=True, deadline=within(HOUR_S)
            )
        assert told.attempts[3:] == [(MUTE, "first"), (MUTE, "not_found")]


class TestBatches:
    async def test_are_sent_on_behalf_of_all_that_share_them(
        self, gateway: LiveKitRoomGateway, double: LiveKitDouble, told: RecordedCalls
    ) -> None:
        double.rooms.put_room(RoomName("another"))
        names = [ALICE.room, ALICE.room, RoomName("another"), ALICE.room]
        await asyncio.gather(*(gateway.get_room(name, deadline=within(HOUR_S)) for name in names))
        assert [each.rooms for each in told.calls] == [1, 2]  # the first is sent at once
        assert told.shared == [[1, 2, 3]]
