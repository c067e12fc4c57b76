"""Each call's own terms: token, headers, retries, kept connections."""

import asyncio
from contextlib import suppress

import jwt
import pytest
import uvloop
from livekit.api import MuteRoomTrackRequest, ParticipantInfo

from adapters.livekit.errors import AbsentError, UnusableAnswerError
from application.ports.room_gateway import RoomGatewayUnavailableError
from tests.adapters.livekit.canned import ALICE, MUTED, PROTOBUF, SID, answer, owned_by, twirp
from tests.adapters.livekit.livekit_servers import (
    HOUR_S,
    SECRET,
    Canned,
    gateway_to,
    header,
    serve,
    within,
)
from tests.support.movable_clock import MovableClockLoop, advance_clock
from tests.support.sockets import IDLE_TIMEOUT, will_reset

MUTE = MuteRoomTrackRequest(room=ALICE.room, identity=ALICE.identity, track_sid=SID, muted=True)


class TestCalls:
    async def test_carry_a_token_of_short_life_and_least_grants(self) -> None:
        livekit = Canned(answer("200 OK", MUTED))
        async with livekit.gateway() as gateway:
            await gateway.mute_track(
                ALICE, SID, muted=True, room_was_read=True, deadline=within(HOUR_S)
            )
            livekit.canned = answer("200 OK")
            await gateway.client.list_participants(ALICE.room, within(HOUR_S))
            await gateway.verify_access(deadline=within(HOUR_S))
        nothing = {"canPublish": False, "canSubscribe": False, "canPublishData": False}
        tokens = [header(head, "Authorization").removeprefix("Bearer ") for head in livekit.heads]
        claims = [jwt.decode(token, SECRET, ["HS256"]) for token in tokens]
        assert [claim["exp"] - claim["nbf"] for claim in claims] == [600] * 3
        assert [claim["iss"] for claim in claims] == ["key"] * 3
        assert [claim["video"] for claim in claims] == [
            *2 * [{"roomAdmin": True, "room": "room", **nothing}],
            {"roomList": True, **nothing},
        ]

    async def test_tell_livekit_how_long_they_wait(self) -> None:
        livekit = Canned(answer("200 OK"))
        async with livekit.gateway() as gateway:
            await gateway.verify_access(deadline=within(2 * HOUR_S))
        told_ms = int(header(livekit.heads[0], "X-Twirp-Timeout-Ms"))
        assert HOUR_S * 1000 < told_ms <= 2 * HOUR_S * 1000

    async def test_ask_for_nothing_compressed_and_keep_no_cookies(self) -> None:
        livekit = Canned(answer("200 OK", more="Set-Cookie: s3cret=1\r\n"))
        async with livekit.gateway(host="localhost") as gateway:  # cookies are for names only
            for _ in range(2):
                await gateway.verify_access(deadline=within(HOUR_S))
        assert [header(head, "Accept-Encoding") for head in livekit.heads] == ["identity"] * 2
        assert "s3cret" not in str(livekit.heads)

    async def test_are_not_repeated_where_no_connection_can_be_made(self) -> None:
        accepted = 0

        async def talk_in_plain_http(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            nonlocal accepted
            accepted += 1
            await reader.read(1)
            writer.write(answer("400 Bad Request"))
            writer.close()

        async with (
            serve(talk_in_plain_http) as url,
            gateway_to(url.replace("http", "https")) as gateway,
        ):
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.client.list_rooms([ALICE.room], within(HOUR_S))
        assert accepted == 1

    async def test_are_not_sent_with_no_time_left(self) -> None:
        livekit = Canned(answer("200 OK"))
        async with livekit.gateway() as gateway:
            client = gateway.client
            for call in (
                lambda: client.list_rooms([ALICE.room], within(0)),
                lambda: client.get_participant(ALICE, within(-HOUR_S)),
                lambda: client.list_participants(ALICE.room, within(0)),
                lambda: client.begin_mute(MUTE, within(0)).answer(),
            ):
                with pytest.raises(RoomGatewayUnavailableError) as failed:
                    await call()
                assert failed.value.reason == "no time left"
            await gateway.verify_access(deadline=within(HOUR_S))
        assert livekit.calls == ["ListRooms"]

    async def test_read_the_participant_that_was_asked_for_and_no_other(self) -> None:
        found = ParticipantInfo(identity=ALICE.identity, name="Alice")
        livekit = Canned(answer("200 OK", found.SerializeToString()))
        async with livekit.gateway() as gateway:
            read = gateway.client.get_participant
            assert await read(ALICE, within(HOUR_S)) == found
            for other in (b"", ParticipantInfo(identity="bob").SerializeToString()):
                livekit.canned = answer("200 OK", other)
                with pytest.raises(UnusableAnswerError):
                    await read(ALICE, within(HOUR_S))
            livekit.canned = twirp("404 Not Found", {"code": "not_found"})
            with pytest.raises(AbsentError):
                await read(ALICE, within(HOUR_S))


class TestKeptConnections:
    @pytest.mark.parametrize("resets", [False, True])
    async def test_that_are_closed_at_their_next_use_fail_no_read(self, *, resets: bool) -> None:
        cuts = 0

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal cuts
            await reader.readuntil(b"\r\n\r\n")
            writer.write(PROTOBUF + b"Content-Length: 0\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            cuts += 1
            if resets:
                will_reset(writer)
            writer.close()

        async with serve(talk) as url, gateway_to(url) as gateway:
            for _ in range(3):
                await gateway.verify_access(deadline=within(HOUR_S))
        assert cuts == 2

    async def test_that_are_closed_during_a_mute_are_not_called_new(self) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(PROTOBUF + b"Content-Length: 0\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            writer.close()

        async with serve(talk) as url, gateway_to(url) as gateway:
            await gateway.verify_access(deadline=within(HOUR_S))
            with pytest.raises(RoomGatewayUnavailableError) as failed:
                await gateway.mute_track(
                    ALICE, SID, muted=True, room_was_read=True, deadline=within(HOUR_S)
                )
        assert failed.value.reason.startswith("connection lost")

    async def test_are_not_used_where_more_came_with_the_answer_before(self) -> None:
        """aiohttp 3.14.5 may take it for the next answer, which could name a former owner."""
        owners = iter(["former", "new"])

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(owned_by(next(owners)) + IDLE_TIMEOUT)
            await reader.read()
            writer.close()

        async with serve(talk) as url, gateway_to(url) as gateway:
            for owner in ("former", "new"):
                room = await gateway.get_room(ALICE.room, deadline=within(HOUR_S))
                assert room.owner == owner

    async def test_are_not_used_where_more_came_while_they_were_idle(self) -> None:
        owners = iter(["former", "new"])
        writers: list[asyncio.StreamWriter] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(owned_by(next(owners)))
            await reader.read()
            writer.close()

        async with serve(talk) as url, gateway_to(url) as gateway:
            room = await gateway.get_room(ALICE.room, deadline=within(HOUR_S))
            assert room.owner == "former"
            writers[0].write(IDLE_TIMEOUT)
            for _ in range(20):  # on loopback it is there at once, and read in the next turns
                await asyncio.sleep(0)
            room = await gateway.get_room(ALICE.room, deadline=within(HOUR_S))
            assert room.owner == "new"

    def test_are_all_replaced_once_one_of_them_times_out(self) -> None:
        """A firewall that forgets connections drops what is sent on them without a sign."""
        kept = 3
        asked: list[asyncio.StreamWriter] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.append(writer)
            ready = [writer] if len(asked) > kept else asked[: len(asked) // kept * kept]
            for each in ready:  # the first ones together, so that they are on a connection each
                each.write(PROTOBUF + b"Content-Length: %d\r\n\r\n" % len(MUTED) + MUTED)
            with suppress(asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                advance_clock(HOUR_S)
                await reader.read()
            writer.close()

        async def ask() -> None:
            async with serve(talk) as url, gateway_to(url) as gateway:

                async def mute() -> None:
                    await gateway.mute_track(
                        ALICE, SID, muted=True, room_was_read=True, deadline=within(HOUR_S)
                    )

                await asyncio.gather(*(mute() for _ in range(kept)))
                with pytest.raises(RoomGatewayUnavailableError):
                    await mute()
                await mute()
            assert len(asked) == kept + 1

        with asyncio.Runner(loop_factory=MovableClockLoop) as runner:
            runner.run(ask())

    def test_that_are_silent_delay_a_read_by_half_of_its_time(self) -> None:
        asked: list[asyncio.StreamWriter] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.append(writer)
            writer.write(owned_by("owner"))
            with suppress(asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                advance_clock(0.6 * HOUR_S)
                await reader.read()
            writer.close()

        async def ask() -> None:
            async with serve(talk) as url, gateway_to(url) as gateway:
                for connections in (1, 2):
                    room = await gateway.get_room(ALICE.room, deadline=within(HOUR_S))
                    assert room.owner == "owner"
                    assert len(asked) == connections

        with asyncio.Runner(loop_factory=MovableClockLoop) as runner:
            runner.run(ask())

    def test_that_are_silent_for_long_and_answer_after_all_fail_no_read(self) -> None:
        first: list[asyncio.StreamWriter] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            if first:  # asked again, on a new connection: the first one answers now
                first[0].write(owned_by("owner"))
            else:
                first.append(writer)
                writer.write(owned_by("owner"))
                await reader.readuntil(b"\r\n\r\n")
                advance_clock(0.6 * HOUR_S)
            await reader.read()
            writer.close()

        async def ask() -> None:
            async with serve(talk) as url, gateway_to(url) as gateway:
                for _ in range(2):
                    room = await gateway.get_room(ALICE.room, deadline=within(HOUR_S))
                    assert room.owner == "owner"

        with asyncio.Runner(loop_factory=MovableClockLoop) as runner:
            runner.run(ask())

    def test_with_data_before_the_first_request_are_not_used(self) -> None:
        """On uvloop, what a server sends at once is there before the request is sent."""
        accepted = 0

        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal accepted
            accepted += 1
            writer.write(b"220 hello\r\n")
            await reader.read()
            writer.close()

        async def ask() -> None:
            async with serve(greet) as url, gateway_to(url) as gateway:
                with pytest.raises(RoomGatewayUnavailableError):
                    await gateway.mute_track(
                        ALICE, SID, muted=True, room_was_read=True, deadline=within(HOUR_S)
                    )

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(ask())
        assert 1 <= accepted <= 3
