"""How calls to a LiveKit that misbehaves end, over real sockets."""

import asyncio
import socket
from collections.abc import Awaitable

import pytest
from livekit.api import MuteRoomTrackResponse, TrackInfo

from application.ports.room_gateway import (
    RoomGatewayError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)
from domain.room import RoomNotFoundError
from domain.track import ParticipantNotFoundError, Track, TrackNotFoundError
from tests.adapters.livekit.canned import (
    ALICE,
    CUT_OFF,
    MUTED,
    OTHER,
    OTHER_ROOM,
    REFUSED,
    SID,
    TWO_ROOMS,
    UNAVAILABLE,
    answer,
    error_of_size,
    twirp,
)
from tests.adapters.livekit.livekit_servers import (
    CALLS,
    HOUR_S,
    Call,
    Canned,
    Dripping,
    gateway_to,
    header,
    within,
)

UNAVAILABLE_ERROR = RoomGatewayUnavailableError.__name__
REFUSED_ERROR = RoomGatewayRefusedError.__name__


async def failure(canned: bytes, call: Call) -> str:
    """Make a call to a LiveKit with a canned answer, and give the port's error that it raises."""
    async with Canned(canned).gateway() as gateway:
        return await error_of(call(gateway, within(HOUR_S)))


async def error_of(call: Awaitable[object]) -> str:
    (error,) = await asyncio.gather(call, return_exceptions=True)
    if not isinstance(error, RoomGatewayError):
        return f"no failure: {error}"
    if error.__cause__ is not None or "s3cret" in error.reason:
        return f"a failure that tells too much: {error.reason}"
    port = RoomGatewayError.__module__
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == port)


async def outcomes(canned: dict[str, bytes]) -> dict[tuple[str, str], tuple[str, int]]:
    """For each answer and call: the error, and how many requests were sent."""
    found = {}
    for name, body in canned.items():
        for what, call in CALLS.items():
            livekit = Canned(body)
            async with livekit.gateway() as gateway:
                kind = await error_of(call(gateway, within(HOUR_S)))
            found[name, what] = (kind, len(livekit.calls))
    return found


class TestFaults:
    async def test_mean_unavailable_and_never_not_found(self) -> None:
        """A read that is cut off is retried once; a mute never is."""
        wrong = {
            case: outcome
            for case, outcome in (await outcomes(UNAVAILABLE)).items()
            if outcome
            != (
                UNAVAILABLE_ERROR,
                2 if UNAVAILABLE[case[0]] in CUT_OFF and case[1] in ("get_room", "verify") else 1,
            )
        }
        assert wrong == {}

    async def test_mean_refused_where_livekit_understood(self) -> None:
        expected = (REFUSED_ERROR, 1)
        found = await outcomes(REFUSED)
        assert {case: outcome for case, outcome in found.items() if outcome != expected} == {}

    async def test_mean_unavailable_where_no_server_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        for url in (f"ws://127.0.0.1:{port}", "wss://no-such-host.invalid"):
            async with gateway_to(url) as gateway:
                for call in CALLS.values():
                    with pytest.raises(RoomGatewayUnavailableError) as failed:
                        await call(gateway, within(HOUR_S))
                    assert failed.value.reason.startswith("cannot connect (ClientConnector")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
class TestDeadlines:
    """With any other bound than its deadline, each call would last an hour."""

    async def test_end_calls_without_an_answer(self, call: Call) -> None:
        livekit = Canned(None)
        async with livekit.gateway(probe_delay_s=HOUR_S) as gateway:
            with pytest.raises(RoomGatewayUnavailableError) as failed:
                await call(gateway, within(0.3))
        assert failed.value.reason.startswith("no answer before the deadline")
        for head in livekit.heads:
            assert 0 < int(header(head, "X-Twirp-Timeout-Ms")) <= 300

    async def test_end_calls_with_an_answer_that_comes_byte_by_byte(self, call: Call) -> None:
        async with Dripping(None).gateway(probe_delay_s=HOUR_S) as gateway:
            with pytest.raises(RoomGatewayUnavailableError):
                await call(gateway, within(0.3))


class TestOtherAnswers:
    async def test_are_read_up_to_half_a_mib(self) -> None:
        long = TrackInfo(sid=SID, muted=True, name="x" * (512 << 10))
        body = MuteRoomTrackResponse(track=long).SerializeToString()
        async with Canned(answer("200 OK", body)).gateway() as gateway:
            with pytest.raises(RoomGatewayUnavailableError) as failed:
                await gateway.mute_track(ALICE, SID, muted=True, deadline=within(HOUR_S))
        assert failed.value.reason == "answer too large"

    async def test_that_are_errors_are_read_up_to_64_kib(self) -> None:
        """Beyond that the code is not seen, and the status alone proves no absence."""
        async with Canned(error_of_size(64 << 10)).gateway() as gateway:
            with pytest.raises(ParticipantNotFoundError):
                await gateway.mute_track(ALICE, SID, muted=True, deadline=within(HOUR_S))
        async with Canned(error_of_size((64 << 10) + 1)).gateway() as gateway:
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.mute_track(ALICE, SID, muted=True, deadline=within(HOUR_S))

    async def test_about_another_room_or_track_are_not_trusted(self) -> None:
        rooms = {"other": OTHER_ROOM, "two": TWO_ROOMS}
        for body in rooms.values():
            assert await failure(answer("200 OK", body), CALLS["get_room"]) == (UNAVAILABLE_ERROR)
        for body in (OTHER, b"\x0a\x00"):
            assert await failure(answer("200 OK", body), CALLS["mute"]) == (UNAVAILABLE_ERROR)

    async def test_that_differ_from_the_request_are_passed_on(self) -> None:
        async with Canned(answer("200 OK", MUTED)).gateway() as gateway:
            track = await gateway.mute_track(ALICE, SID, muted=False, deadline=within(HOUR_S))
        assert track == Track(sid=SID, muted=True)

    async def test_that_are_errors_are_read_as_utf_8_whatever_charset_they_name(self) -> None:
        """Python 3.11 takes minutes to decode megabytes of some charsets."""
        for charset in ("utf-16", "s3cret"):
            body = b'{"code": "not_found"}'
            absent = answer("404 Not Found", body, f"application/json; charset={charset}")
            async with Canned(absent).gateway() as gateway:
                with pytest.raises(ParticipantNotFoundError):
                    await gateway.mute_track(ALICE, SID, muted=True, deadline=within(HOUR_S))

    async def test_that_are_errors_nested_deep_mean_what_their_status_says(self) -> None:
        for depth in (1000, 8000):
            nested = answer("401 Oh", b"[" * depth + b"]" * depth, "application/json")
            assert await failure(nested, CALLS["get_room"]) == REFUSED_ERROR

    async def test_that_are_empty_mean_not_found(self) -> None:
        async with Canned(answer("200 OK")).gateway() as gateway:
            with pytest.raises(RoomNotFoundError):
                await gateway.get_room(ALICE.room, deadline=within(HOUR_S))
            with pytest.raises(TrackNotFoundError):
                await gateway.mute_track(ALICE, SID, muted=True, deadline=within(HOUR_S))

    async def test_with_the_code_not_found_mean_the_participant(self) -> None:
        """As LiveKit Cloud is said to answer; a room is never missing for that."""
        absent = twirp("404 Not Found", {"code": "not_found", "msg": "participant"})
        async with Canned(absent).gateway() as gateway:
            with pytest.raises(ParticipantNotFoundError):
                await gateway.mute_track(ALICE, SID, muted=True, deadline=within(HOUR_S))
            with pytest.raises(RoomGatewayRefusedError):
                await gateway.get_room(ALICE.room, deadline=within(HOUR_S))

    async def test_that_refuse_to_mute_are_not_about_remote_unmute(self) -> None:
        refusal = twirp("412 Precondition Failed", {"code": "failed_precondition"})
        assert await failure(refusal, CALLS["mute"]) == REFUSED_ERROR
