"""Many tenants at once, in rooms that change owners: each gets the response to its request."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import product
from random import Random
from typing import Any

import pytest
from attrs import field, frozen

from domain.room import RoomName, RoomNotFoundReason
from domain.track import Participant, ParticipantIdentity, PublishedTrack, TrackSid
from tests.robustness.changing_rooms import MISSING, UNOWNED, ChangingRooms, Owner
from tests.robustness.metrics import Length, Metrics
from tests.robustness.tenants import double_of, serving, token_of
from tests.support.service import MUTE, Answer, Service

pytestmark = pytest.mark.robustness("isolation under concurrency")

CONNECTIONS = 64
DELAY_S = 0.01
PAUSES_S = (0.0, 0.1, 0.4)
"""The greatest pauses between requests, in turn: without any, reads leave in full batches."""
TENANTS = ("tenant-a", "tenant-A", "tenant-a1")
UNKNOWN_CALLER = "tenant-a "
ROOMS = tuple(
    RoomName(f"{first}{second}")
    for first, second in product(
        ("room", "Room", "r\u00e4um", "ra\u0308um", "rooms"),
        ("", " ", "1", "-1", "-11", "/1", "%20", "\u200b", "?x=1", "#1"),
    )
)
CHANGED = (*ROOMS, *(8 * ROOMS[:3]))
"""Some change more often, so that a response may be out of date for the next request."""
MISSING_ROOMS = (RoomName("room-"), RoomName("ROOM"), RoomName("room-12"), RoomName(" room"))
IDENTITIES = ("alice", "Alice", "alice ", "bob")


@frozen(kw_only=True)
class MuteRequest:
    """A mute request for a track of its own."""

    number: int
    caller: str
    room: RoomName
    identity: str
    muted: bool
    published: bool

    @property
    def sid(self) -> str:
        return f"TR_{self.number}"

    @property
    def request_id(self) -> str:
        return f"request-{self.number}"

    @property
    def fields(self) -> Mapping[str, object]:
        return {
            "room_name": self.room,
            "participant_identity": self.identity,
            "track_sid": self.sid,
            "muted": self.muted,
        }


@frozen
class Result:
    request: MuteRequest
    answer: Answer = field(repr=False)
    owners: set[Owner]
    """The owners of the room during the request."""
    outcome: tuple[int, str]
    mutes: list[tuple[str, str, bool]]
    """The mute calls for the track."""

    def is_correct(self, event: Mapping[str, Any]) -> bool:
        """Return whether the response, the calls and the logged reason fit the request."""
        if self.request.caller == UNKNOWN_CALLER:
            return self.outcome == (401, "UNAUTHORIZED") and not self.mutes
        if self.outcome == (404, "ROOM_NOT_FOUND"):
            reason, _, _ = event["reason"].partition(":")
            return not self.mutes and RoomNotFoundReason(reason) in self._reasons()
        mute = (self.request.room, self.request.identity, self.request.muted)
        number = 1 if self.request.published else 2  # an unknown track is muted once more
        if self.request.caller not in self.owners or self.mutes != number * [mute]:
            return False
        if not self.request.published:
            return self.outcome == (404, "TRACK_NOT_FOUND")
        return self.outcome == (200, "OK") and self.answer.json == self.request.fields

    def is_logged_as(self, event: Mapping[str, Any]) -> bool:
        """Return whether an event is the log of this request."""
        known = self.request.caller != UNKNOWN_CALLER
        expected = {
            "status": self.outcome[0],
            "code": self.outcome[1],
            "caller_id": self.request.caller if known else None,
            "room": self.request.room if known else None,
            "participant": self.request.identity if known else None,
            "track": self.request.sid if known else None,
            "muted_wanted": self.request.muted if known else None,
            "muted": self.request.muted if self.outcome[0] == 200 else None,
        }
        return {name: event.get(name) for name in expected} == expected

    def _reasons(self) -> set[RoomNotFoundReason]:
        return {
            owner if isinstance(owner, RoomNotFoundReason) else RoomNotFoundReason.FOREIGN
            for owner in self.owners - {self.request.caller}
        }


def requests(rooms: ChangingRooms, number: int) -> Iterator[MuteRequest]:
    """Generate requests, every other one for the room whose owner changed last."""
    random = rooms.random
    for each in range(number):
        room = random.choice([rooms.newest, None]) or random.choice([*ROOMS, *MISSING_ROOMS])
        yield MuteRequest(
            number=each,
            caller=random.choice([*5 * TENANTS, UNKNOWN_CALLER]),
            room=room,
            identity=random.choice(IDENTITIES),
            muted=random.random() < 0.5,
            published=random.random() < 0.9,
        )


@asynccontextmanager
async def changing_owners(rooms: ChangingRooms) -> AsyncIterator[None]:
    """Give each room an owner, and change one after another during the block."""
    owners: list[Owner] = [*3 * TENANTS, MISSING, UNOWNED]

    async def change() -> None:
        while True:
            rooms.set_owner(rooms.random.choice(CHANGED), rooms.random.choice(owners))
            await asyncio.sleep(DELAY_S)

    for room in ROOMS:
        rooms.set_owner(room, rooms.random.choice(owners))
    changing = asyncio.create_task(change())
    try:
        yield
    finally:
        changing.cancel()
        await asyncio.wait({changing})


def publish(rooms: ChangingRooms, request: MuteRequest) -> None:
    participant = Participant(room=request.room, identity=ParticipantIdentity(request.identity))
    tracks = rooms.tracks.setdefault(participant, {})
    if request.published:
        sid = TrackSid(request.sid)
        tracks[sid] = PublishedTrack(sid=sid, muted=not request.muted)


async def send(service: Service, rooms: ChangingRooms, request: MuteRequest) -> Result:
    clock = asyncio.get_running_loop().time
    publish(rooms, request)
    begun_s = clock()
    headers = {
        "Authorization": f"Bearer {token_of(request.caller)}",
        "X-Request-ID": request.request_id,
    }
    answer = await service.ask("POST", MUTE, json=request.fields, headers=headers)
    owners = rooms.owners_between(request.room, begun_s, clock())
    assert answer.headers["X-Request-ID"] == request.request_id
    outcome = (200, "OK") if answer.status == 200 else answer.outcome
    return Result(request, answer, owners, outcome, rooms.mutes[request.sid])


class TestManyTenantsAtOnce:
    async def test_each_get_the_response_to_their_own_request(
        self, length: Length, metrics: Metrics
    ) -> None:
        number = length(short=1000, full=20_000)
        random = Random(1)  # noqa: S311 - to be made again, not to be secret
        rooms = ChangingRooms(random=random, delay_s=DELAY_S, remote_unmute=True)
        double, results = double_of(rooms), list[Result]()
        pending = requests(rooms, number)

        async def run(service: Service) -> None:
            for request in pending:
                results.append(await send(service, rooms, request))
                pause_s = PAUSES_S[request.number // 100 % len(PAUSES_S)]
                await asyncio.sleep(rooms.random.random() * pause_s)

        async with serving(double, TENANTS) as service, changing_owners(rooms):
            await asyncio.gather(*(run(service) for _ in range(CONNECTIONS)))
            events = {event["request_id"]: event for event in service.events}
        wrong = [each for each in results if not each.is_correct(events[each.request.request_id])]
        wrongly_logged = [
            each for each in results if not each.is_logged_as(events[each.request.request_id])
        ]
        assert (wrong[:3], wrongly_logged[:3]) == ([], [])
        assert len(service.events) == len(events) == len(results) == number
        outcomes = Counter(each.outcome for each in results)
        changes = sum(map(len, rooms.owners.values())) - len(ROOMS)
        reads = number - outcomes[401, "UNAUTHORIZED"]
        metrics.note("requests", number)
        metrics.at_least("of them allowed", outcomes[200, "OK"] / number, 0.15)
        metrics.at_least("changes of owners", changes, 1)
        metrics.at_least("reads in a batch", reads / double.calls["ListRooms"], 2, timed=True)
        metrics.at_most("ambiguous requests", ambiguous(results) / number, 0.25, timed=True)
        metrics.at_most("wrong responses", len(wrong), 0)
        metrics.at_most("wrong events", len(wrongly_logged), 0)


def ambiguous(results: list[Result]) -> int:
    """Count requests during which the owner changed, so that either response is correct."""
    return sum(len(each.owners) > 1 for each in results)
