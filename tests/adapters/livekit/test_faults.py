"""How calls to a LiveKit that misbehaves end, over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable
from contextlib import ExitStack, asynccontextmanager

import pytest
from livekit.api import (
    ListRoomsResponse,
    MuteRoomTrackRequest,
    MuteRoomTrackResponse,
    ParticipantInfo,
    TrackInfo,
)
from livekit.protocol.models import Room as LiveKitRoom

from application.ports.room_gateway import (
    RoomGatewayError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)
from domain.room import RoomNotFoundError, RoomNotFoundReason
from domain.track import ParticipantNotFoundError, Track, TrackNotFoundError
from tests.adapters.livekit.canned import (
    ALICE,
    CUT_OFF,
    MUTED,
    OTHER,
    OTHER_ROOM,
    REFUSED,
    SID,
    TOKEN_REFUSED,
    TWO_ROOMS,
    UNAVAILABLE,
    answer,
    error_of_size,
    page,
    room_of_size,
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
    serve,
    within,
)
from tests.support.server_process import free_ports
from tests.support.virtual_time import run_in_virtual_time

UNAVAILABLE_ERROR = RoomGatewayUnavailableError.__name__
REFUSED_ERROR = RoomGatewayRefusedError.__name__


async def answer_in_plain_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(answer("400 Bad Request"))
    writer.close()


@asynccontextmanager
async def backlogged() -> AsyncIterator[str]:
    """Yield the URL of a port whose queue of new connections is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, ExitStack() as pending:
        for _ in range(3):  # more than the backlog, so that the system accepts no others
            connection = pending.enter_context(socket.socket())
            connection.settimeout(0)
            connection.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


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
        wrong = {}
        for (name, call), outcome in (await outcomes(UNAVAILABLE)).items():
            is_retried = UNAVAILABLE[name] in CUT_OFF and call not in ("mute", "unmute")
            if outcome != (UNAVAILABLE_ERROR, 2 if is_retried else 1):
                wrong[name, call] = outcome
        assert wrong == {}

    async def test_mean_refused_where_livekit_understood(self) -> None:
        expected = (REFUSED_ERROR, 1)
        found = await outcomes(REFUSED)
        assert {case: outcome for case, outcome in found.items() if outcome != expected} == {}

    async def test_mean_refused_where_livekit_refuses_the_next_token_too(self) -> None:
        expected = (REFUSED_ERROR, 2)
        found = await outcomes(TOKEN_REFUSED)
        assert {case: outcome for case, outcome in found.items() if outcome != expected} == {}

    async def test_mean_unavailable_where_no_server_listens(self) -> None:
        [port] = free_ports(1)
        unreachable = {
            f"ws://127.0.0.1:{port}": f"127.0.0.1:{port}: connection refused",
            f"http://127.0.0.1:{port}/path": f"127.0.0.1:{port}: connection refused",
            "wss://no-such-host.invalid": "no-such-host.invalid:443: the ",  # or no name server
        }
        for url, reason in unreachable.items():
            async with gateway_to(url) as gateway:
                for call in CALLS.values():
                    with pytest.raises(RoomGatewayUnavailableError) as failed:
                        await call(gateway, within(HOUR_S))
                    assert failed.value.reason.startswith(f"cannot connect to {reason}")

    async def test_name_their_cause(self) -> None:
        """A reader of the log sees no more than this."""
        wrong = {}
        for canned, cause in CAUSES.items():
            livekit = Canned(canned)
            async with livekit.gateway() as gateway:
                (error,) = await asyncio.gather(
                    gateway.verify_access(deadline=within(HOUR_S)), return_exceptions=True
                )
            if not isinstance(error, RoomGatewayError) or error.reason != cause:
                wrong[canned] = error
        assert wrong == {}

    async def test_name_tls_on_a_plain_port_as_their_cause(self) -> None:
        async with (
            serve(answer_in_plain_http) as url,
            gateway_to(url.replace("http", "https")) as gateway,
        ):
            with pytest.raises(RoomGatewayUnavailableError) as failed:
                await gateway.verify_access(deadline=within(HOUR_S))
        assert "the port does not speak TLS" in failed.value.reason

    async def test_name_the_connection_where_none_could_be_made_in_time(self) -> None:
        async with backlogged() as url, gateway_to(url) as gateway:
            client, address = gateway.client, url.removeprefix("http://")
            mute = MuteRoomTrackRequest(room=ALICE.room, identity=ALICE.identity, track_sid=SID)
            calls = (
                client.list_rooms([ALICE.room], within(0.3)),
                client.get_participant(ALICE, within(0.3)),
                client.list_participants(ALICE.room, within(0.3)),
                client.begin_mute(mute, within(0.3)).answer(),
            )
            errors = await asyncio.gather(*calls, return_exceptions=True)
        expected = f"cannot connect to {address}: no answer before the deadline"
        assert [getattr(error, "reason", error) for error in errors] == [expected] * 4

    def test_name_it_to_lookups_too_which_end_at_the_same_deadline(self) -> None:
        """In virtual time: no connection is made, so the clock outruns none."""

        async def run() -> str:
            async with backlogged() as url, gateway_to(url) as gateway:
                with pytest.raises(RoomGatewayUnavailableError) as failed:
                    await gateway.get_room(ALICE.room, deadline=within(HOUR_S))
            return failed.value.reason

        assert run_in_virtual_time(run()).startswith("cannot connect to 127.0.0.1:")

    async def test_name_the_limit_of_connections_where_none_became_free(self) -> None:
        livekit = Canned(None)
        async with livekit.gateway(max_connections=1) as gateway:
            first = asyncio.ensure_future(CALLS["mute"](gateway, within(HOUR_S)))
            while not livekit.calls:  # noqa: ASYNC110 - it comes over a socket
                await asyncio.sleep(0.01)
            with pytest.raises(RoomGatewayUnavailableError) as failed:
                await gateway.client.list_rooms([ALICE.room], within(0.3))
            assert failed.value.reason.startswith("no connection to 127.0.0.1:")
            first.cancel()


CAUSES = {
    answer("401 Unauthorized", b"invalid API key: s3cret", "text/plain"): (
        "answered 401: LiveKit does not know the API key"
    ),
    answer("404 Not Found", b"404 page not found\n", "text/plain"): (
        "answered 404: there is no API of LiveKit's at this path, see LIVEKIT_URL"
    ),
    answer("400 Bad Request", b"Client sent an HTTP request to an HTTPS server.\n"): (
        "answered 400: the port expects TLS, LIVEKIT_URL has to begin with https or wss"
    ),
    answer("400 Bad Request", b"\xe9: plain HTTP to an SSL-enabled server port"): (
        "answered 400: the port expects TLS, LIVEKIT_URL has to begin with https or wss"
    ),
    page("502 Bad Gateway"): ("answered 502 without a code, as a proxy or another server does"),
    page("200 OK"): "answer is not LiveKit's but another server's",
    UNAVAILABLE["compressed"]: "answer is compressed",
    b"SSH-2.0-s3cret\r\n": "answer is not valid HTTP",
    answer("301 Moved", more="Location: https://a.test/s3cret\r\n"): (
        "answered 301, a redirect to https://a.test"
    ),
    b"": "new connection lost before an answer, the port may expect another protocol",
    answer("302 Found"): "answered 302, a redirect to the same host",
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
class TestDeadlines:
    """With any other bound than its deadline, each call would last an hour."""

    async def test_end_calls_without_an_answer(self, call: Call) -> None:
        livekit = Canned(None)
        async with livekit.gateway(probe_delay_s=HOUR_S) as gateway:
            with pytest.raises(RoomGatewayUnavailableError) as failed:
                await call(gateway, within(0.3))
        assert failed.value.reason.startswith("no answer before the deadline")
        (head,) = livekit.heads  # a new connection that is silent is no reason to ask again
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
                await gateway.mute_track(
                    ALICE, SID, muted=True, room_was_read=True, deadline=within(HOUR_S)
                )
        assert failed.value.reason == "answer too large"

    async def test_about_participants_are_read_whatever_livekit_lets_them_have(self) -> None:
        found = ParticipantInfo(
            identity=ALICE.identity, metadata="x" * 524_288, attributes={"x": "x" * 65_535}
        )
        async with Canned(answer("200 OK", found.SerializeToString())).gateway() as gateway:
            read = await gateway.client.get_participant(ALICE, within(HOUR_S))
        assert read == found

    async def test_that_will_be_too_large_are_read_up_to_4_kib(self) -> None:
        """The rest of this one never comes."""
        room = LiveKitRoom(name=ALICE.room, metadata="x" * (2 << 20))
        whole = answer("200 OK", ListRoomsResponse(rooms=[room]).SerializeToString())
        async with Canned(whole[: 8 << 10]).gateway() as gateway:
            with pytest.raises(RoomNotFoundError) as missing:
                await gateway.get_room(ALICE.room, deadline=within(HOUR_S))
        assert missing.value.reason is RoomNotFoundReason.UNREADABLE

    async def test_about_rooms_are_read_up_to_1_25_mib(self) -> None:
        problems = []
        for size in (1280 << 10, (1280 << 10) + 1):
            async with Canned(answer("200 OK", room_of_size(size))).gateway() as gateway:
                try:
                    await gateway.get_room(ALICE.room, deadline=within(HOUR_S))
                    problems.append("")
                except RoomNotFoundError as error:
                    problems.append(error.reason.value)
        assert problems == ["", "unreadable"]

    async def test_that_are_errors_are_read_up_to_64_kib(self) -> None:
        """Beyond that the code is not seen, and the status alone proves no absence."""
        async with Canned(error_of_size(64 << 10)).gateway() as gateway:
            with pytest.raises(ParticipantNotFoundError):
                await gateway.mute_track(
                    ALICE, SID, muted=True, room_was_read=True, deadline=within(HOUR_S)
                )
        async with Canned(error_of_size((64 << 10) + 1)).gateway() as gateway:
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.mute_track(
                    ALICE, SID, muted=True, room_was_read=True, deadline=within(HOUR_S)
                )

    async def test_about_another_room_or_track_are_not_trusted(self) -> None:
        rooms = {"other": OTHER_ROOM, "two": TWO_ROOMS}
        for body in rooms.values():
            assert await failure(answer("200 OK", body), CALLS["get_room"]) == (UNAVAILABLE_ERROR)
        for body in (OTHER, b"\x0a\x00"):
            assert await failure(answer("200 OK", body), CALLS["mute"]) == (UNAVAILABLE_ERROR)

    async def test_that_differ_from_the_request_are_passed_on(self) -> None:
        async with Canned(answer("200 OK", MUTED)).gateway() as gateway:
            track = await gateway.mute_track(
                ALICE, SID, muted=False, room_was_read=True, deadline=within(HOUR_S)
            )
        assert track == Track(sid=SID, muted=True)

    async def test_that_are_errors_are_read_as_utf_8_whatever_charset_they_name(self) -> None:
        """Python 3.11 takes minutes to decode megabytes of some charsets."""
        for charset in ("utf-16", "s3cret"):
            body = b'{"code": "not_found"}'
            absent = answer("404 Not Found", body, f"application/json; charset={charset}")
            async with Canned(absent).gateway() as gateway:
                with pytest.raises(ParticipantNotFoundError):
                    await gateway.mute_track(
                        ALICE, SID, muted=True, room_was_read=True, deadline=within(HOUR_S)
                    )

    async def test_that_are_errors_nested_deep_mean_what_their_status_says(self) -> None:
        for depth in (1000, 8000):
            nested = answer("401 Oh", b"[" * depth + b"]" * depth, "application/json")
            assert await failure(nested, CALLS["get_room"]) == REFUSED_ERROR

    async def test_that_are_empty_mean_not_found(self) -> None:
        async with Canned(answer("200 OK")).gateway() as gateway:
            with pytest.raises(RoomNotFoundError):
                await gateway.get_room(ALICE.room, deadline=within(HOUR_S))
            with pytest.raises(TrackNotFoundError):
                await gateway.mute_track(
                    ALICE, SID, muted=True, room_was_read=True, deadline=within(HOUR_S)
                )

    async def test_with_the_code_not_found_mean_the_participant(self) -> None:
        """As LiveKit Cloud is said to answer; a room is never missing for that."""
        absent = twirp("404 Not Found", {"code": "not_found", "msg": "participant"})
        async with Canned(absent).gateway() as gateway:
            with pytest.raises(ParticipantNotFoundError):
                await gateway.mute_track(
                    ALICE, SID, muted=True, room_was_read=True, deadline=within(HOUR_S)
                )
            with pytest.raises(RoomGatewayRefusedError):
                await gateway.get_room(ALICE.room, deadline=within(HOUR_S))

    async def test_that_refuse_to_mute_are_not_about_remote_unmute(self) -> None:
        refusal = twirp("412 Precondition Failed", {"code": "failed_precondition"})
        assert await failure(refusal, CALLS["mute"]) == REFUSED_ERROR
