"""Whom the metadata names is let in, and nobody else, whatever it looks like."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from itertools import product
from random import Random

import orjson
import pytest
from attrs import frozen

from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.caller import IdentifiedCaller, InvalidTenantIdError, TenantId, tenant_id
from domain.room import Room, RoomName, RoomNotFoundError, RoomNotFoundReason, authorize
from domain.track import Participant, ParticipantIdentity, Track, TrackSid
from tests.campaigns.figures import Figures, Length
from tests.campaigns.json_texts import SUITE_SIZE, is_taken, suite
from tests.campaigns.made_metadata import IDS, Maker
from tests.campaigns.metadata import METADATA, OTHER, SPELLINGS, Kind
from tests.campaigns.tenancy import double_of, serving, token_of
from tests.service import DEMO_WISH, MUTE, Service, parse_answers

pytestmark = pytest.mark.campaign("tenant isolation")

ROOM = RoomName("demo-room")
SID = TrackSid("TR_demo_mic")
ALICE = Participant(room=ROOM, identity=ParticipantIdentity("alice"))
LET_IN = "let in"
WISH = json.dumps(DEMO_WISH).encode()
OF_THE_REQUEST = re.compile(rb"(?<=\r\n)(Date|X-Request-ID): [^\r]*\r\n")
"""What may differ between two answers that are to look alike."""


def verdict(room: Room, caller: str) -> str:
    """Tell whether a caller is let in, or why not."""
    try:
        authorize(IdentifiedCaller(id=TenantId(caller)), room)
    except RoomNotFoundError as refusal:
        return refusal.reason.value
    return LET_IN


def due(owner: str | None, caller: str) -> str:
    """Tell what should become of a caller."""
    if caller == owner:
        return LET_IN
    reason = RoomNotFoundReason.UNOWNED if owner is None else RoomNotFoundReason.FOREIGN
    told: str = reason.value
    return told


def can_call(spelling: str) -> bool:
    try:
        tenant_id(spelling)
    except InvalidTenantIdError:
        return False
    return True


def names(kind: Kind) -> str:
    return ascii(kind.template[:60])


class TestMetadata:
    def test_is_of_many_kinds(self, figures: Figures) -> None:
        figures.at_least("metadata strings", len(METADATA), 380)
        figures.at_least("spellings of an id", min(map(len, SPELLINGS.values())), 12)

    @pytest.mark.parametrize("kind", METADATA.values(), ids=names)
    def test_lets_in_whom_it_names_and_nobody_else(self, kind: Kind) -> None:
        for family in SPELLINGS.values():
            for spelling in family.values():
                room = Room.from_metadata(ROOM, kind.text(spelling))
                for caller in (*family.values(), OTHER):
                    assert verdict(room, caller) == due(kind.named(spelling), caller), room


@pytest.mark.skipif(not suite(), reason="JSON_TEST_SUITE names no checkout of the suite")
class TestTextsOfThePublicSuite:
    def test_name_nobody_and_keep_nobody_from_being_named(
        self, length: Length, figures: Figures
    ) -> None:
        """Each alone, and beside an owner, whom it leaves in place where it is JSON itself."""
        ids = IDS[: length(short=1, full=len(IDS))]
        for (file, text), spelling in product(suite().items(), ids):
            value = text.decode(errors="surrogateescape")
            beside = Kind(f'{{"auth_id": @, "x": {value}}}', "~" if is_taken(file) else None)
            for kind in (Kind(value, None), beside):
                room = Room.from_metadata(ROOM, kind.text(spelling))
                assert room.owner == kind.named(spelling), file
        figures.at_least("texts of the public suite", len(suite()), SUITE_SIZE)


class TestMadeMetadata:
    def test_lets_in_whom_it_names_and_nobody_else(self, length: Length, figures: Figures) -> None:
        number, named = length(short=5000, full=100_000), 0
        for maker in map(Maker, range(number)):
            made = maker.make()
            room = Room.from_metadata(ROOM, made.text)
            for caller in IDS:
                assert verdict(room, caller) == due(made.owner, caller), (maker, made, caller)
            named += made.owner is not None
        figures.note("metadata strings made at random", number)
        figures.at_least("of them with an owner", named / number, 0.3)

    def test_if_spoilt_names_whom_other_readers_find_in_it(
        self, length: Length, figures: Figures
    ) -> None:
        number, named = length(short=5000, full=100_000), 0
        for maker in map(Maker, range(number)):
            text = maker.spoil(maker.make().text)
            owner = found_by_others(text)
            assert Room.from_metadata(ROOM, text).owner == owner, (maker, text)
            named += owner is not None
        figures.note("metadata strings spoilt at random", number)
        figures.at_least("of them with an owner still", named / number, 0.05)


def found_by_others(text: str) -> str | None:
    """Find the owner with readers of another make, which let the last of two members win."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    objects: list[list[str]] = []
    json.loads(text, object_pairs_hook=lambda pairs: objects.append([key for key, _ in pairs]))
    owner = found.get("auth_id") if isinstance(found, dict) else None
    once = all(len(keys) == len(set(keys)) for keys in objects)
    return owner if once and isinstance(owner, str) and owner.strip() else None


@frozen
class Case:
    """A room's metadata, ``None`` where there is no room, and a tenant who asks for it."""

    metadata: str | None
    due: str
    caller: str


def cases(random: Random) -> Iterator[Case]:
    kinds = [kind for kind in METADATA.values() if "\ud800" not in kind.template]  # no Unicode
    while True:
        family = [*random.choice([*SPELLINGS.values()]).values()]
        kind, spelling = random.choice(kinds), random.choice(family)
        caller = random.choice([OTHER, *filter(can_call, family)])
        yield Case(kind.text(spelling), due(kind.named(spelling), caller), caller)
        yield Case(kind.text(spelling), due(kind.named(spelling), spelling), spelling)
        yield Case(None, RoomNotFoundReason.MISSING.value, caller)


def sample(number: int) -> Iterator[Case]:
    """Give cases in disorder, so many of each verdict."""
    told = Counter[str]()
    for case in cases(Random(1)):  # noqa: S311 - no secret
        if told[case.due] < number and can_call(case.caller):
            told[case.due] += 1
            yield case
        if len(told) == len(RoomNotFoundReason) + 1 and set(told.values()) == {number}:
            return


@pytest.fixture
def double() -> LiveKitDouble:
    double = double_of(LiveKitRooms())
    double.rooms.put_room(ROOM)
    double.rooms.put_participant(ALICE)
    double.rooms.put_track(ALICE, Track(sid=SID, muted=False))
    return double


@pytest.fixture
async def service(double: LiveKitDouble) -> AsyncIterator[Service]:
    async with serving(double, [OTHER, *filter(can_call, IDS)]) as service:
        yield service


async def ask(service: Service, caller: str) -> bytes:
    """Ask on a connection of its own, and give all that comes on it."""
    reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
    head = f"POST {MUTE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    token = f"Authorization: Bearer {token_of(caller)}\r\n"
    kind = f"Content-Type: application/json\r\nContent-Length: {len(WISH)}\r\n\r\n"
    writer.write(f"{head}{token}{kind}".encode() + WISH)
    received = await reader.read()
    writer.close()
    await writer.wait_closed()
    return received


class TestRoomsOverHttp:
    async def test_are_opened_to_their_owners_and_there_to_nobody_else(
        self, service: Service, double: LiveKitDouble, length: Length, figures: Figures
    ) -> None:
        """Whatever keeps a caller out: only the log tells, no answer and no call of LiveKit's."""
        masks, number = Counter[bytes](), length(short=75, full=4000)
        for case in sample(number):
            double.calls.clear()
            double.rooms.metadata.clear()
            if case.metadata is not None:
                double.rooms.put_room(ROOM, metadata=case.metadata)
            received = await ask(service, case.caller)
            [answer] = parse_answers(received)
            event = service.events[-1]
            assert event["request_id"] == answer.headers["X-Request-ID"]
            if case.due == LET_IN:
                assert answer.status == HTTPStatus.OK, case
                assert double.calls == {"ListRooms": 1, "MutePublishedTrack": 1}
            else:
                assert answer.told == (HTTPStatus.NOT_FOUND, "ROOM_NOT_FOUND"), case
                assert double.calls == {"ListRooms": 1}, case
                assert event["reason"] == case.due, case
                masks[OF_THE_REQUEST.sub(b"", received)] += 1
        figures.note("requests over HTTP", 4 * number)
        figures.at_most("different masked 404s", len(masks), 1)
