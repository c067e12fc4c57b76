"""Many tenants at once, in disorder: everybody gets the answer to their own request."""

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
from domain.track import Participant, ParticipantIdentity, Track, TrackSid
from tests.campaigns.changing_rooms import MISSING, UNOWNED, ChangingRooms, Owner
from tests.campaigns.figures import Figures, Length
from tests.campaigns.tenancy import double_of, serving, token_of
from tests.service import MUTE, Answer, Service

pytestmark = pytest.mark.campaign("isolation under concurrency")

CONNECTIONS = 64
DELAY_S = 0.01
PAUSES_S = (0.0, 0.1, 0.4)
"""What lies at most between two requests, by turns: a crowd's reads leave in full groups."""
TENANTS = ("tenant-a", "tenant-A", "tenant-a1")
STRANGER = "tenant-a "
ROOMS = tuple(
    RoomName(f"{first}{second}")
    for first, second in product(
        ("room", "Room", "r\u00e4um", "ra\u0308um", "rooms"),
        ("", " ", "1", "-1", "-11", "/1", "%20", "\u200b", "?x=1", "#1"),
    )
)
RESTLESS = (*ROOMS, *(8 * ROOMS[:3]))
"""Some change hands more often, so that one answer is another's past."""
NOT_THERE = (RoomName("room-"), RoomName("ROOM"), RoomName("room-12"), RoomName(" room"))
IDENTITIES = ("alice", "Alice", "alice ", "bob")


@frozen(kw_only=True)
class Wish:
    """What is asked for, and a track that nobody else asks for."""

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
    def members(self) -> Mapping[str, object]:
        return {
            "room_name": self.room,
            "participant_identity": self.identity,
            "track_sid": self.sid,
            "muted": self.muted,
        }


@frozen
class Outcome:
    wish: Wish
    answer: Answer = field(repr=False)
    owners: set[Owner]
    """Whose the room was while it was being asked."""
    told: tuple[int, str]
    mutes: list[tuple[str, str, bool]]
    """What LiveKit was asked of the track."""

    def is_due(self, event: Mapping[str, Any]) -> bool:
        """Tell whether the answer is that to the wish, and whether the log tells the same."""
        if self.wish.caller == STRANGER:
            return self.told == (401, "UNAUTHORIZED") and not self.mutes
        if self.told == (404, "ROOM_NOT_FOUND"):
            return not self.mutes and RoomNotFoundReason(event["reason"]) in self._reasons()
        once = [(self.wish.room, self.wish.identity, self.wish.muted)]
        if self.wish.caller not in self.owners or self.mutes != once:
            return False
        if not self.wish.published:
            return self.told == (404, "TRACK_NOT_FOUND")
        return self.told == (200, "OK") and self.answer.json == self.wish.members

    def is_told_by(self, event: Mapping[str, Any]) -> bool:
        """Tell whether an event of the log is that of this request and no other."""
        known = self.wish.caller != STRANGER
        due = {
            "status": self.told[0],
            "code": self.told[1],
            "caller_id": self.wish.caller if known else None,
            "room": self.wish.room if known else None,
            "participant": self.wish.identity if known else None,
            "track": self.wish.sid if known else None,
            "muted_wanted": self.wish.muted if known else None,
            "muted": self.wish.muted if self.told[0] == 200 else None,
        }
        return {name: event.get(name) for name in due} == due

    def _reasons(self) -> set[RoomNotFoundReason]:
        return {
            owner if isinstance(owner, RoomNotFoundReason) else RoomNotFoundReason.FOREIGN
            for owner in self.owners - {self.wish.caller}
        }


def wishes(rooms: ChangingRooms, number: int) -> Iterator[Wish]:
    """Make up what is asked for, every other time of the room that has just changed hands."""
    random = rooms.random
    for each in range(number):
        room = random.choice([rooms.newest, None]) or random.choice([*ROOMS, *NOT_THERE])
        yield Wish(
            number=each,
            caller=random.choice([*5 * TENANTS, STRANGER]),
            room=room,
            identity=random.choice(IDENTITIES),
            muted=random.random() < 0.5,
            published=random.random() < 0.9,
        )


@asynccontextmanager
async def changing_hands(rooms: ChangingRooms) -> AsyncIterator[None]:
    """Give all rooms to somebody, and then one after another to somebody else."""
    owners: list[Owner] = [*3 * TENANTS, MISSING, UNOWNED]

    async def go_on() -> None:
        while True:
            rooms.hand_over(rooms.random.choice(RESTLESS), rooms.random.choice(owners))
            await asyncio.sleep(DELAY_S)

    for room in ROOMS:
        rooms.hand_over(room, rooms.random.choice(owners))
    going_on = asyncio.create_task(go_on())
    try:
        yield
    finally:
        going_on.cancel()
        await asyncio.wait({going_on})


def publish(rooms: ChangingRooms, wish: Wish) -> None:
    participant = Participant(room=wish.room, identity=ParticipantIdentity(wish.identity))
    tracks = rooms.tracks.setdefault(participant, {})
    if wish.published:
        tracks[TrackSid(wish.sid)] = Track(sid=TrackSid(wish.sid), muted=not wish.muted)


async def ask(service: Service, rooms: ChangingRooms, wish: Wish) -> Outcome:
    clock = asyncio.get_running_loop().time
    publish(rooms, wish)
    begun_s = clock()
    headers = {
        "Authorization": f"Bearer {token_of(wish.caller)}",
        "X-Request-ID": wish.request_id,
    }
    answer = await service.ask("POST", MUTE, json=wish.members, headers=headers)
    owners = rooms.owners_between(wish.room, begun_s, clock())
    assert answer.headers["X-Request-ID"] == wish.request_id
    told = (200, "OK") if answer.status == 200 else answer.told
    return Outcome(wish, answer, owners, told, rooms.mutes[wish.sid])


class TestManyTenantsAtOnce:
    async def test_get_each_the_answer_to_their_own_request(
        self, length: Length, figures: Figures
    ) -> None:
        number = length(short=1000, full=20_000)
        random = Random(1)  # noqa: S311 - to be made again, not to be secret
        rooms = ChangingRooms(random=random, delay_s=DELAY_S, remote_unmute=True)
        double, outcomes = double_of(rooms), list[Outcome]()
        waiting = wishes(rooms, number)

        async def go_on(service: Service) -> None:
            for wish in waiting:
                outcomes.append(await ask(service, rooms, wish))
                pause_s = PAUSES_S[wish.number // 100 % len(PAUSES_S)]
                await asyncio.sleep(rooms.random.random() * pause_s)

        async with serving(double, TENANTS) as service, changing_hands(rooms):
            await asyncio.gather(*(go_on(service) for _ in range(CONNECTIONS)))
            events = {event["request_id"]: event for event in service.events}
        wrong = [each for each in outcomes if not each.is_due(events[each.wish.request_id])]
        untold = [each for each in outcomes if not each.is_told_by(events[each.wish.request_id])]
        assert (wrong[:3], untold[:3]) == ([], [])
        assert len(service.events) == len(events) == len(outcomes) == number
        told = Counter(each.told for each in outcomes)
        changes = sum(map(len, rooms.owners.values())) - len(ROOMS)
        reads = number - told[401, "UNAUTHORIZED"]
        figures.note("requests", number)
        figures.at_least("of them let in", told[200, "OK"] / number, 0.15)
        figures.at_least("rooms that changed hands", changes, 1)
        figures.at_least("reads gathered in one", reads / double.calls["ListRooms"], 2, timed=True)
        figures.at_most("unclear whose the room was", unclear(outcomes) / number, 0.25, timed=True)
        figures.at_most("answers of another request", len(wrong), 0)
        figures.at_most("events that tell another story", len(untold), 0)


def unclear(outcomes: list[Outcome]) -> int:
    """Count those whose room changed hands while it was asked for: either answer is right."""
    return sum(len(each.owners) > 1 for each in outcomes)
