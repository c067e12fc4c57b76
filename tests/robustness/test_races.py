"""Rooms and participants change at every point of a mute, also between check and mute."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import nullcontext
from functools import partial

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from attrs import define, field, frozen
from livekit.api import MuteRoomTrackResponse

from adapters.identity.api_secrets import ApiSecrets, ApiSecretsAuthenticator
from adapters.livekit.api_key import ApiKey
from adapters.livekit.limits import LiveKitLimits
from adapters.livekit.room_gateway import open_gateway
from contract.rooms import ALICE, Rooms, publish
from domain.caller import TenantId
from domain.track import Participant, TrackSid
from tests.contract.livekit_over_http import LiveKit
from tests.robustness.clients import NO_TIMEOUTS
from tests.robustness.metrics import Length, Metrics
from tests.support.service import Answer, Service, running_service
from tests.support.timeouts import HOUR_S

pytestmark = pytest.mark.robustness("check-then-act")

OURS, THEIRS = '{"auth_id": "tenant-a"}', '{"auth_id": "tenant-b"}'
TOKEN = "token-of-a"
REQUESTS = 5
SPREAD_S = 0.02
NO_ROOM, NO_PARTICIPANT, NO_TRACK = "ROOM_NOT_FOUND", "PARTICIPANT_NOT_FOUND", "TRACK_NOT_FOUND"

Change = Callable[[Rooms, Participant], Awaitable[tuple[Participant, TrackSid] | None]]
"""A change; it returns the track that exists after it, if any."""


async def leave(rooms: Rooms, alice: Participant) -> None:
    await rooms.leave(alice)


async def delete(rooms: Rooms, alice: Participant) -> None:
    await rooms.leave(alice)
    await rooms.close(alice.room)


async def rejoin(rooms: Rooms, alice: Participant) -> tuple[Participant, TrackSid]:
    await rooms.leave(alice)
    return await publish(rooms, ALICE, alice.room)


async def change_owner(rooms: Rooms, alice: Participant) -> tuple[Participant, TrackSid]:
    await delete(rooms, alice)
    return await publish(rooms, ALICE, await rooms.open(alice.room, metadata=THEIRS))


CHANGES: Mapping[str, Change] = {
    "the participant left": leave,
    "the room was deleted": delete,
    "the identity rejoined": rejoin,
    "another tenant reopened the room": change_owner,
}
GAPS: Mapping[tuple[str, str], tuple[str, str, str, str]] = {
    ("before", "ListRooms"): (NO_PARTICIPANT, NO_ROOM, NO_TRACK, NO_ROOM),
    ("after", "ListRooms"): (NO_PARTICIPANT, NO_PARTICIPANT, NO_TRACK, NO_TRACK),
    ("before", "MutePublishedTrack"): (NO_PARTICIPANT, NO_PARTICIPANT, NO_TRACK, NO_TRACK),
    ("after", "MutePublishedTrack"): ("OK", "OK", "OK", "OK"),
}
"""The code after each change, by when it happens: before LiveKit gets a call, or after it."""


@define
class Relay:
    """A proxy before LiveKit, which may act before or after a call."""

    livekit: LiveKit
    actions: dict[tuple[str, str], Callable[[], Awaitable[object]]] = field(factory=dict)
    reported: set[tuple[str, bool]] = field(factory=set)
    """The tracks that LiveKit reported as muted or unmuted."""
    _acting: asyncio.Lock = field(init=False, factory=asyncio.Lock)

    async def relay(self, request: web.Request) -> web.Response:
        call = request.path.rpartition("/")[2]
        body = await request.read()
        headers = {name: request.headers[name] for name in ("Authorization", "X-Twirp-Timeout-Ms")}
        await self._act("before", call)
        answer = await self.livekit.send(call, body, headers=headers)
        await self._act("after", call)
        if (call, answer.status) == ("MutePublishedTrack", 200):
            track = MuteRoomTrackResponse.FromString(answer.body).track
            self.reported.add((track.sid, track.muted))
        return web.Response(
            status=answer.status, body=answer.body, headers={"Content-Type": answer.content_type}
        )

    async def _act(self, when: str, call: str) -> None:
        """Act, if there is something to do; calls that arrive meanwhile wait for its end."""
        async with self._acting:
            if action := self.actions.pop((when, call), None):
                await action()


@frozen
class Site:
    """A service, a relay and a LiveKit."""

    service: Service
    relay: Relay
    rooms: Rooms

    async def mute(self, alice: Participant, sid: TrackSid, *, after_s: float = 0.0) -> Answer:
        await asyncio.sleep(after_s)
        return await self.service.mute(
            token=TOKEN,
            room_name=alice.room,
            participant_identity=alice.identity,
            track_sid=sid,
        )

    def unreported(self, answers: list[Answer], sid: TrackSid) -> int:
        """Count the successes that LiveKit did not report."""
        good = [answer.json for answer in answers if answer.status == 200]
        return len([each for each in good if (sid, each["muted"]) not in self.relay.reported])


@pytest.fixture
async def site(livekit: LiveKit) -> AsyncIterator[Site]:
    relay = Relay(livekit)
    app = web.Application()
    app.router.add_post("/{path:.*}", relay.relay)
    known = ApiSecretsAuthenticator(lambda: ApiSecrets({TOKEN: TenantId("tenant-a")}))
    async with (
        TestServer(app) as server,
        running_service(
            open_gateway=lambda: open_gateway(
                url=str(server.make_url("/")),
                api_key=partial(ApiKey, name=livekit.api_key, secret=livekit.api_secret),
                limits=LiveKitLimits(),
            ),
            open_authenticator=lambda: nullcontext(known),
            limits=NO_TIMEOUTS,
            timeout_s=HOUR_S,
        ) as service,
    ):
        yield Site(service, relay, livekit.rooms)


class TestRaces:
    @pytest.mark.parametrize("number", range(len(CHANGES)), ids=list(CHANGES))
    @pytest.mark.parametrize("gap", list(GAPS), ids=" ".join)
    async def test_never_mute_a_later_track(
        self, site: Site, gap: tuple[str, str], number: int, metrics: Metrics
    ) -> None:
        alice, sid = await publish(site.rooms, ALICE, await site.rooms.open(metadata=OURS))
        now: list[tuple[Participant, TrackSid] | None] = []

        async def change() -> None:
            now.append(await list(CHANGES.values())[number](site.rooms, alice))

        site.relay.actions[gap] = change
        answer = await site.mute(alice, sid)
        assert (answer.json.get("code", "OK"), len(now)) == (GAPS[gap][number], 1)
        assert not site.unreported([answer], sid)
        foreign = [track for track in now if track and await site.rooms.is_muted(*track)]
        metrics.at_most("later tracks muted", len(foreign), 0)

    async def test_at_random_never_do_either(
        self, site: Site, length: Length, metrics: Metrics
    ) -> None:
        chance = random.Random(1)  # noqa: S311 - it only has to be the same again
        codes: Counter[str] = Counter()
        unreported = foreign = 0
        for turn in range(length(short=20, full=1000) // REQUESTS):
            alice, sid = await publish(site.rooms, ALICE, await site.rooms.open(metadata=OURS))
            change = list(CHANGES.values())[turn % len(CHANGES)]
            asking = [
                asyncio.create_task(site.mute(alice, sid, after_s=chance.random() * SPREAD_S))
                for _ in range(REQUESTS)
            ]
            await asyncio.sleep(chance.random() * 3 * SPREAD_S)
            now = await change(site.rooms, alice)
            answers = await asyncio.gather(*asking)
            unreported += site.unreported(answers, sid)
            if now:
                foreign += await site.rooms.is_muted(*now)
                await site.rooms.leave(now[0])
            codes.update(answer.json.get("code", "OK") for answer in answers)
        metrics.note("races", codes.total())
        metrics.note("races won by the mute", codes["OK"])
        metrics.at_most("later tracks muted", foreign, 0)
        metrics.at_most("unreported successes", unreported, 0)
        assert set(codes) <= {"OK", NO_ROOM, NO_PARTICIPANT, NO_TRACK, "LIVEKIT_UNAVAILABLE"}
