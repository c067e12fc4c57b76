"""What the adapter makes of a LiveKit that does not behave, over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email import message_from_string
from functools import partial
from typing import Any

import jwt
import pytest
import uvloop
from livekit.api import MuteRoomTrackResponse, ParticipantInfo, TrackInfo
from typing_extensions import override

from adapters.livekit.api_key import ApiKey
from adapters.livekit.bounds import Bounds
from adapters.livekit.room_gateway import LiveKitRoomGateway, open_gateway
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
    owned_by,
    page,
    twirp,
)
from tests.sockets import will_reset

SECRET = "secret-of-livekit-that-is-long-enough"

Call = Callable[[LiveKitRoomGateway], Awaitable[object]]

CALLS: dict[str, Call] = {
    "get_room": lambda gateway: gateway.get_room(ALICE.room),
    "mute_track": lambda gateway: gateway.mute_track(ALICE, SID, muted=True),
    "unmute_track": lambda gateway: gateway.mute_track(ALICE, SID, muted=False),
    "verify_access": lambda gateway: gateway.verify_access(),
}


def header(head: str, name: str) -> str:
    return str(message_from_string(head.partition("\r\n")[2])[name])


class Canned:
    """A LiveKit that answers every request with the same bytes and hangs up, or hangs."""

    def __init__(self, canned: bytes | None) -> None:
        self.canned = canned
        self.heads: list[str] = []
        self.left = asyncio.Event()
        """A client has gone without waiting for its answer."""
        self._talks: set[asyncio.Task[Any]] = set()

    @property
    def calls(self) -> list[str]:
        return [head.split(" ")[1].rpartition("/")[2] for head in self.heads]

    async def answer(self, call: str) -> bytes:  # noqa: ARG002 - others tell calls apart
        return await never() if self.canned is None else self.canned

    async def write(self, writer: asyncio.StreamWriter, call: str) -> None:
        writer.write(await self.answer(call))
        await writer.drain()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        answering = asyncio.create_task(self.write(writer, self.calls[-1]))
        gone = asyncio.create_task(reader.read())
        self._talks |= {answering, gone}
        await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            self.left.set()
        answering.cancel()
        gone.cancel()
        await asyncio.gather(answering, gone, return_exceptions=True)
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    @asynccontextmanager
    async def gateway(
        self, *, host: str = "127.0.0.1", timeout_s: float = 5.0, probe_delay_s: float = 60.0
    ) -> AsyncIterator[LiveKitRoomGateway]:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        url = f"http://{host}:{port}"
        async with server, gateway_to(url, timeout_s, probe_delay_s) as gateway:
            yield gateway
            for talk in self._talks:
                talk.cancel()
            await asyncio.sleep(0.01)


async def never() -> bytes:
    await asyncio.Event().wait()
    raise AssertionError


class Dripping(Canned):
    """Answers a byte at a time, for longer than anybody waits."""

    @override
    async def write(self, writer: asyncio.StreamWriter, call: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"\n")
            await writer.drain()
            await asyncio.sleep(0.02)


class Halting(Canned):
    """Hangs in the mute, and answers a look for the participant with canned bytes."""

    @override
    async def answer(self, call: str) -> bytes:
        return await (never() if call == "MutePublishedTrack" else super().answer(call))


class Pondering(Canned):
    """Answers a mute once the participant is looked for too, and hangs in that."""

    @override
    async def answer(self, call: str) -> bytes:
        if call == "GetParticipant":
            return await never()
        while "GetParticipant" not in self.calls:  # noqa: ASYNC110 - it comes over a socket
            await asyncio.sleep(0.01)
        return await super().answer(call)


@asynccontextmanager
async def gateway_to(
    url: str, timeout_s: float = 5.0, probe_delay_s: float = 60.0
) -> AsyncIterator[LiveKitRoomGateway]:
    async with open_gateway(
        url=url,
        api_key=partial(ApiKey, name="key", secret=SECRET),
        bounds=Bounds(timeout_s=timeout_s, max_connections=10, probe_delay_s=probe_delay_s),
    ) as gateway:
        yield gateway


@pytest.fixture(params=list(CALLS.values()), ids=list(CALLS))
def call(request: pytest.FixtureRequest) -> Call:
    made: Call = request.param
    return made


async def expect_failure(expected: type[RoomGatewayError], canned: bytes, call: Call) -> None:
    """One request, the error, and nothing of what LiveKit said."""
    livekit = Canned(canned)
    async with livekit.gateway() as gateway:
        with pytest.raises(expected) as failure:
            await call(gateway)
    assert "s3cret" not in failure.value.reason
    assert failure.value.__cause__ is None
    cut_off_read = canned in CUT_OFF and livekit.calls[0] == "ListRooms"
    assert len(livekit.calls) == (2 if cut_off_read else 1)


class TestFaults:
    @pytest.mark.parametrize("canned", UNAVAILABLE.values(), ids=UNAVAILABLE.keys())
    async def test_mean_unavailable_and_never_not_found(self, call: Call, canned: bytes) -> None:
        await expect_failure(RoomGatewayUnavailableError, canned, call)

    @pytest.mark.parametrize("canned", REFUSED.values(), ids=REFUSED.keys())
    async def test_mean_refused_where_livekit_understood(self, call: Call, canned: bytes) -> None:
        await expect_failure(RoomGatewayRefusedError, canned, call)

    async def test_mean_unavailable_where_nobody_listens(self, call: Call) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        async with gateway_to(f"ws://127.0.0.1:{port}") as gateway:
            with pytest.raises(RoomGatewayUnavailableError):
                await call(gateway)

    async def test_mean_unavailable_where_there_is_no_such_host(self, call: Call) -> None:
        async with gateway_to("wss://no-such-host.invalid") as gateway:
            with pytest.raises(RoomGatewayUnavailableError):
                await call(gateway)

    async def test_mean_unavailable_once_the_time_is_up(self, call: Call) -> None:
        livekit = Canned(None)
        async with livekit.gateway(timeout_s=0.3) as gateway:
            with pytest.raises(RoomGatewayUnavailableError) as failure:
                await call(gateway)
        assert failure.value.reason == "TimeoutError"
        assert 0 < int(header(livekit.heads[0], "X-Twirp-Timeout-Ms")) <= 300

    async def test_mean_unavailable_once_the_time_that_was_left_is_up(self) -> None:
        livekit = Canned(None)
        async with livekit.gateway(timeout_s=3600) as gateway:
            until = asyncio.get_running_loop().time() + 0.4
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.get_room(ALICE.room, until=until)
            until = asyncio.get_running_loop().time() + 0.4
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.mute_track(ALICE, SID, muted=True, until=until)
        told = [int(header(head, "X-Twirp-Timeout-Ms")) for head in livekit.heads]
        assert len(told) == 2
        assert all(0 < each <= 400 for each in told)

    async def test_mean_unavailable_where_the_answer_comes_in_drips(self, call: Call) -> None:
        async with Dripping(None).gateway(timeout_s=0.3) as gateway:
            with pytest.raises(RoomGatewayUnavailableError):
                await call(gateway)


class TestRequests:
    async def test_carry_a_token_of_short_life_and_least_grants(self) -> None:
        livekit = Canned(answer("200 OK", MUTED))
        async with livekit.gateway() as gateway:
            await gateway.mute_track(ALICE, SID, muted=True)
            livekit.canned = answer("200 OK")
            await gateway.verify_access()
        nothing = {"canPublish": False, "canSubscribe": False, "canPublishData": False}
        tokens = [header(head, "Authorization").removeprefix("Bearer ") for head in livekit.heads]
        claims = [jwt.decode(token, SECRET, ["HS256"]) for token in tokens]
        assert [claim["exp"] - claim["nbf"] for claim in claims] == [600, 600]
        assert [claim["iss"] for claim in claims] == ["key", "key"]
        assert [claim["video"] for claim in claims] == [
            {"roomAdmin": True, "room": "room", **nothing},
            {"roomList": True, **nothing},
        ]

    async def test_ask_for_nothing_compressed_and_keep_no_cookies(self) -> None:
        livekit = Canned(answer("200 OK", more="Set-Cookie: s3cret=1\r\n"))
        async with livekit.gateway(host="localhost") as gateway:  # cookies are for names alone
            for _ in range(2):
                await gateway.verify_access()
        assert [header(head, "Accept-Encoding") for head in livekit.heads] == ["identity"] * 2
        assert "s3cret" not in str(livekit.heads)


class TestKeptConnections:
    @pytest.mark.parametrize("resets", [False, True])
    async def test_that_are_cut_at_their_next_use_fail_no_read(self, *, resets: bool) -> None:
        cuts = 0

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal cuts
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            cuts += 1
            if resets:
                will_reset(writer)
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, gateway_to(f"http://127.0.0.1:{port}") as gateway:
            for _ in range(3):
                await gateway.verify_access()
        assert cuts == 2

    async def test_bring_no_answer_before_its_question(self) -> None:
        """One that lay there could tell of a room's former owner."""
        owners = iter(["former", "new"])

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(2 * owned_by(next(owners)))
            await reader.read()
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, gateway_to(f"http://127.0.0.1:{port}") as gateway:
            assert (await gateway.get_room(ALICE.room)).owner == "former"
            assert (await gateway.get_room(ALICE.room)).owner == "new"

    def test_that_speak_unasked_are_given_up(self) -> None:
        """On uvloop what a server says at once is there before the question is sent."""
        greeted = 0

        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal greeted
            greeted += 1
            writer.write(b"220 hello\r\n")
            await reader.read()
            writer.close()

        async def ask() -> None:
            server = await asyncio.start_server(greet, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            async with server, gateway_to(f"http://127.0.0.1:{port}") as gateway:
                with pytest.raises(RoomGatewayUnavailableError):
                    await gateway.mute_track(ALICE, SID, muted=True)

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(ask())
        assert 1 <= greeted <= 3


class TestOtherAnswers:
    async def test_are_read_up_to_half_a_mib(self) -> None:
        long = TrackInfo(sid=SID, muted=True, name="x" * (512 << 10))
        body = MuteRoomTrackResponse(track=long).SerializeToString()
        async with Canned(answer("200 OK", body)).gateway() as gateway:
            with pytest.raises(RoomGatewayUnavailableError) as failure:
                await gateway.mute_track(ALICE, SID, muted=True)
        assert failure.value.reason == "ClientPayloadError"

    @pytest.mark.parametrize("body", [OTHER_ROOM, TWO_ROOMS], ids=["other", "two"])
    async def test_about_another_room_are_not_believed(self, body: bytes) -> None:
        async with Canned(answer("200 OK", body)).gateway() as gateway:
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.get_room(ALICE.room)

    @pytest.mark.parametrize("body", [OTHER, b"\x0a\x00"], ids=["other", "none"])
    async def test_about_another_track_are_not_believed(self, body: bytes) -> None:
        async with Canned(answer("200 OK", body)).gateway() as gateway:
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.mute_track(ALICE, SID, muted=True)

    async def test_that_differ_from_the_wish_are_passed_on(self) -> None:
        async with Canned(answer("200 OK", MUTED)).gateway() as gateway:
            track = await gateway.mute_track(ALICE, SID, muted=False)
        assert track == Track(sid=SID, muted=True)

    @pytest.mark.timeout(20)  # before they were bounded and read as UTF-8, this took minutes
    async def test_that_claim_a_charset_that_is_slow_to_read_are_not_read_in_it(self) -> None:
        slow = answer("500 Oh", b"x" * (4 << 20), "application/json; charset=punycode")
        async with Canned(slow).gateway() as gateway:
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.get_room(ALICE.room)

    @pytest.mark.parametrize("depth", [1000, 30_000])
    async def test_that_are_errors_nested_deep_mean_what_their_status_says(
        self, depth: int
    ) -> None:
        nested = answer("401 Oh", b"[" * depth + b"]" * depth, "application/json")
        async with Canned(nested).gateway() as gateway:
            with pytest.raises(RoomGatewayRefusedError):
                await gateway.get_room(ALICE.room)

    async def test_that_are_empty_mean_not_found(self) -> None:
        async with Canned(answer("200 OK")).gateway() as gateway:
            with pytest.raises(RoomNotFoundError):
                await gateway.get_room(ALICE.room)
            with pytest.raises(TrackNotFoundError):
                await gateway.mute_track(ALICE, SID, muted=True)

    async def test_that_say_not_found_mean_the_participant(self) -> None:
        """As LiveKit Cloud is said to answer."""
        absent = twirp("404 Not Found", {"code": "not_found", "msg": "participant"})
        async with Canned(absent).gateway() as gateway:
            with pytest.raises(ParticipantNotFoundError):
                await gateway.mute_track(ALICE, SID, muted=True)
            with pytest.raises(RoomGatewayRefusedError):
                await gateway.get_room(ALICE.room)

    async def test_that_refuse_to_mute_are_not_about_remote_unmute(self) -> None:
        refusal = twirp("412 Precondition Failed", {"code": "failed_precondition"})
        async with Canned(refusal).gateway() as gateway:
            with pytest.raises(RoomGatewayRefusedError):
                await gateway.mute_track(ALICE, SID, muted=True)


class TestLookingForTheParticipant:
    @pytest.mark.parametrize(
        "canned",
        [
            answer("200 OK", ParticipantInfo(identity="alice").SerializeToString()),
            answer("200 OK"),
            page("404 Not Found"),
            twirp("503 Service Unavailable", {"code": "unavailable"}),
            twirp("401 Unauthorized", {"code": "unauthenticated"}),
            b"",
            None,
        ],
        ids=["there", "empty", "page", "unavailable", "refused", "hangs up", "hangs"],
    )
    async def test_settles_nothing_but_a_clear_absence(self, canned: bytes | None) -> None:
        livekit = Halting(canned)
        async with livekit.gateway(timeout_s=0.5, probe_delay_s=0.1) as gateway:
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.mute_track(ALICE, SID, muted=True)
        assert livekit.calls == ["MutePublishedTrack", "GetParticipant"]

    async def test_yields_to_a_mute_that_answers_after_all(self) -> None:
        livekit = Pondering(answer("200 OK", MUTED))
        async with livekit.gateway(timeout_s=3600, probe_delay_s=0.1) as gateway:
            assert await gateway.mute_track(ALICE, SID, muted=True) == Track(sid=SID, muted=True)
        assert livekit.calls == ["MutePublishedTrack", "GetParticipant"]

    async def test_settles_an_absence(self) -> None:
        livekit = Halting(twirp("404 Not Found", {"code": "not_found"}))
        async with livekit.gateway(timeout_s=3600, probe_delay_s=0.1) as gateway:
            with pytest.raises(ParticipantNotFoundError):
                await gateway.mute_track(ALICE, SID, muted=True)
            await livekit.left.wait()
        assert livekit.calls == ["MutePublishedTrack", "GetParticipant"]
