"""Mutes that meet several faults: what comes of each, and after how many calls."""

import asyncio
from collections.abc import Mapping, Sequence

from aiohttp import web
from attrs import frozen
from pytest_aiohttp import AiohttpServer

from contract.livekit_answers import Answer, hang_up, silence, twirp_error
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.track import PublishedTrack
from tests.adapters.livekit.canned import ALICE, SID
from tests.adapters.livekit.livekit_servers import HOUR_S, SECRET, gateway_to, within

DENY = twirp_error("not_found")
CALLS = {"M": "MutePublishedTrack", "G": "GetParticipant", "L": "ListRooms"}


async def refuse(_: web.Request) -> web.StreamResponse:
    return web.Response(status=401, text="invalid token: s3cret, error: arranged")


async def show_a_page(_: web.Request) -> web.StreamResponse:
    return web.Response(status=404, text="<h1>s3cret</h1>", content_type="text/html")


async def answer_at_length(_: web.Request) -> web.StreamResponse:
    return web.Response(body=bytes(2 << 20), content_type="application/protobuf")


@frozen
class FailsAfter:
    """Fails once there were so many of these calls, and some seconds more have passed."""

    calls: str
    seconds: float = 2  # longer than the grace, also on a slow machine

    def answer_of(self, double: LiveKitDouble) -> Answer:
        async def answer(request: web.Request) -> web.StreamResponse:
            for calls in self.calls.split():
                call, least = CALLS[calls[-1]], int(calls[:-1])
                while double.calls[call] < least:  # noqa: ASYNC110 - it comes over a socket
                    await asyncio.sleep(0.01)
            await asyncio.sleep(self.seconds)
            return await twirp_error("unavailable")(request)

        return answer


@frozen(kw_only=True)
class Faults:
    """The first answers to each call; those that follow are the double's own.

    The room is looked for where there are answers about it, or where it is missing.
    """

    mute: Sequence[Answer | FailsAfter] = ()
    get: Sequence[Answer | FailsAfter] = ()
    rooms: Sequence[Answer] = ()
    absent: bool = False
    missing: bool = False
    large_room: bool = False

    @property
    def mute_waits(self) -> bool:
        """Whether the first mute is not answered at once, so that a probe is sent beside it."""
        late = any(isinstance(each, FailsAfter) for each in self.mute)
        return late or self.absent or self.missing


CASES: Mapping[str, tuple[Faults, str]] = {
    "the check's token is refused": (
        Faults(mute=[DENY], get=[refuse]),
        "Track after 2M 2G",
    ),
    "the second mute's token is refused": (
        Faults(mute=[DENY, refuse]),
        "Track after 3M 1G",
    ),
    "the second mute's token is refused, and the next": (
        Faults(mute=[DENY, refuse, refuse]),
        "TokenRefusedError after 3M 1G",
    ),
    "the second mute is denied once its token is renewed": (
        Faults(mute=[DENY, refuse, DENY]),
        "RoomGatewayUnavailableError after 3M 1G",
    ),
    "the first mute's token is refused, and the check's": (
        Faults(mute=[refuse, DENY], get=[refuse]),
        "RoomGatewayUnavailableError after 2M 1G",
    ),
    "the check's token is refused, and the second mute's": (
        Faults(mute=[DENY, refuse], get=[refuse]),
        "TokenRefusedError after 2M 2G",
    ),
    "the first mute's token is refused, and it is denied": (
        Faults(mute=[refuse, DENY]),
        "Track after 3M 1G",
    ),
    "the probe's token is refused": (
        Faults(get=[refuse], absent=True),
        "ParticipantNotFoundError after 1M 2G",
    ),
    "the probe's token is refused, and the next": (
        Faults(mute=[FailsAfter("2G")], get=[refuse, refuse], absent=True),
        "RoomGatewayUnavailableError after 1M 2G",
    ),
    "ListRooms' token is refused": (
        Faults(get=[silence], rooms=[refuse], missing=True),
        "ParticipantNotFoundError after 1M 1G 2L",
    ),
    "ListRooms' token is refused, and the next": (
        Faults(mute=[FailsAfter("1G 2L")], get=[silence], rooms=[refuse, refuse], missing=True),
        "RoomGatewayUnavailableError after 1M 1G 2L",
    ),
    "the connection of ListRooms is lost": (
        Faults(get=[silence], rooms=[hang_up], missing=True),
        "ParticipantNotFoundError after 1M 1G 2L",
    ),
    "ListRooms is denied": (
        Faults(mute=[FailsAfter("1G 1L")], get=[silence], rooms=[DENY], missing=True),
        "RoomGatewayUnavailableError after 1M 1G 1L",
    ),
    "ListRooms shows a page": (
        Faults(mute=[FailsAfter("1G 1L")], get=[silence], rooms=[show_a_page], missing=True),
        "RoomGatewayUnavailableError after 1M 1G 1L",
    ),
    "the room is too large": (
        Faults(mute=[FailsAfter("1G 1L")], get=[silence], large_room=True),
        "RoomGatewayUnavailableError after 1M 1G 1L",
    ),
    "the room is missing, and GetParticipant fails": (
        Faults(mute=[FailsAfter("1G 1L")], get=[FailsAfter("1L", 0)], missing=True),
        "RoomGatewayUnavailableError after 1M 1G 1L",
    ),
    "the participant is too large": (
        Faults(mute=[DENY], get=[answer_at_length]),
        "RoomGatewayUnavailableError after 1M 1G",
    ),
    "the check's connection is lost": (
        Faults(mute=[DENY], get=[hang_up]),
        "RoomGatewayUnavailableError after 1M 1G",
    ),
    "the check shows a page": (
        Faults(mute=[DENY], get=[show_a_page]),
        "RoomGatewayUnavailableError after 1M 1G",
    ),
    "the second mute's connection is lost": (
        Faults(mute=[DENY, hang_up]),
        "CallLostError after 2M 1G",
    ),
    "the connection is lost after the token is renewed": (
        Faults(mute=[refuse, hang_up]),
        "CallLostError after 2M",
    ),
}


def double_with(faults: Faults) -> LiveKitDouble:
    rooms = LiveKitRooms(absent_wait_s=HOUR_S)
    if not faults.missing:
        rooms.put_room(ALICE.room, metadata="x" * (2 << 20) if faults.large_room else "")
    if not faults.missing and not faults.absent:
        rooms.put_participant(ALICE)
        rooms.put_track(ALICE, PublishedTrack(sid=SID, muted=False))
    double = LiveKitDouble(api_key="key", api_secret=SECRET, rooms=rooms)
    for letter, answers in {"M": faults.mute, "G": faults.get, "L": faults.rooms}.items():
        for each in answers:
            answer = each.answer_of(double) if isinstance(each, FailsAfter) else each
            double.fail_next(CALLS[letter], answer)
    return double


async def outcome_of(faults: Faults, aiohttp_server: AiohttpServer) -> str:
    double = double_with(faults)
    server = await aiohttp_server(double.app())
    has_id = not (faults.rooms or faults.missing or faults.large_room)
    delay_s = 0.05 if faults.mute_waits else HOUR_S
    async with gateway_to(str(server.make_url("/")), probe_delay_s=delay_s) as gateway:
        mute = gateway.mute_track(
            ALICE, SID, muted=True, room_was_read=has_id, deadline=within(HOUR_S)
        )
        (end,) = await asyncio.gather(mute, return_exceptions=True)
    calls = [f"{double.calls[call]}{letter}" for letter, call in CALLS.items()]
    made = " ".join(call for call in calls if call[0] != "0")
    return f"{type(end).__name__} after {made}"


class TestMutesThatMeetSeveralFaults:
    async def test_are_sent_again_only_where_they_were_surely_not_carried_out(
        self, aiohttp_server: AiohttpServer
    ) -> None:
        found = await asyncio.gather(
            *(outcome_of(faults, aiohttp_server) for faults, _ in CASES.values())
        )
        wrong = {
            name: outcome
            for (name, (_, expected)), outcome in zip(CASES.items(), found, strict=True)
            if outcome != expected
        }
        assert wrong == {}
