"""Only the owner that a room's metadata names may act in the room, whatever the metadata."""

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
from domain.caller import IdentifiedCaller, InvalidTenantIdError, TenantId, parse_tenant_id
from domain.room import Room, RoomName, RoomNotFoundError, RoomNotFoundReason, authorize
from domain.track import Participant, ParticipantIdentity, PublishedTrack, TrackSid
from tests.robustness.json_texts import SUITE_SIZE, is_accepted, suite
from tests.robustness.metadata import METADATA, OTHER, SPELLINGS, Template
from tests.robustness.metrics import Length, Metrics
from tests.robustness.random_metadata import IDS, Generator
from tests.robustness.tenants import double_of, serving, token_of
from tests.support.service import DEMO_REQUEST, MUTE, Service, parse_answers

pytestmark = pytest.mark.robustness("tenant isolation")

ROOM = RoomName("demo-room")
SID = TrackSid("TR_demo_mic")
ALICE = Participant(room=ROOM, identity=ParticipantIdentity("alice"))
ALLOWED = "allowed"
BODY = json.dumps(DEMO_REQUEST).encode()
TOO_LARGE_BYTES = 1280 << 10
PER_REQUEST = re.compile(rb"(?<=\r\n)(Date|X-Request-ID): [^\r]*\r\n")
"""The headers that differ between responses to different requests."""


def verdict(room: Room, caller: str) -> str:
    """Return whether a caller is allowed, or why not."""
    try:
        authorize(IdentifiedCaller(id=TenantId(caller)), room)
    except RoomNotFoundError as refusal:
        return refusal.reason.value
    return ALLOWED


def expected(owner: str | None, caller: str) -> str:
    """Return what the verdict on a caller should be."""
    if caller == owner:
        return ALLOWED
    reason = RoomNotFoundReason.UNOWNED if owner is None else RoomNotFoundReason.FOREIGN
    outcome: str = reason.value
    return outcome


def can_call(spelling: str) -> bool:
    try:
        parse_tenant_id(spelling)
    except InvalidTenantIdError:
        return False
    return True


class TestMetadata:
    def test_allows_only_the_owner_that_it_names(self, metrics: Metrics) -> None:
        wrong: dict[tuple[str, str, str], str] = {}
        for template in METADATA.values():
            for family in SPELLINGS.values():
                for spelling in family.values():
                    room = Room.from_metadata(ROOM, template.text(spelling))
                    for caller in (*family.values(), OTHER):
                        found = verdict(room, caller)
                        if found != expected(template.owner_for(spelling), caller):
                            wrong[template.pattern[:200], spelling, caller] = found
        metrics.note("metadata templates", len(METADATA))
        assert wrong == {}


@pytest.mark.json_test_suite
class TestTextsOfThePublicSuite:
    def test_name_no_owner_and_hide_none(self, length: Length, metrics: Metrics) -> None:
        """Each alone, and beside an owner, who is found if the text is JSON."""
        ids = IDS[: length(short=1, full=len(IDS))]
        for (file, text), spelling in product(suite().items(), ids):
            value = text.decode(errors="surrogateescape")
            beside = Template(f'{{"auth_id": @, "x": {value}}}', "~" if is_accepted(file) else None)
            for template in (Template(value, None), beside):
                room = Room.from_metadata(ROOM, template.text(spelling))
                assert room.owner == template.owner_for(spelling), file
        metrics.at_least("texts of the public suite", len(suite()), SUITE_SIZE)


class TestRandomMetadata:
    def test_allows_only_the_owner_that_it_names(self, length: Length, metrics: Metrics) -> None:
        number, named = length(short=5000, full=100_000), 0
        for generator in map(Generator, range(number)):
            metadata = generator.generate()
            room = Room.from_metadata(ROOM, metadata.text)
            for caller in IDS:
                assert verdict(room, caller) == expected(metadata.owner, caller), (
                    generator,
                    metadata,
                    caller,
                )
            named += metadata.owner is not None
        metrics.note("random metadata", number)
        metrics.at_least("of them with an owner", named / number, 0.3)

    def test_names_when_damaged_the_owner_that_other_parsers_find(
        self, length: Length, metrics: Metrics
    ) -> None:
        number, named = length(short=5000, full=100_000), 0
        for generator in map(Generator, range(number)):
            text = generator.damage(generator.generate().text)
            owner = owner_by_other_parsers(text)
            assert Room.from_metadata(ROOM, text).owner == owner, (generator, text)
            named += owner is not None
        metrics.note("damaged metadata", number)
        metrics.at_least("of it with an owner", named / number, 0.05)


def owner_by_other_parsers(text: str) -> str | None:
    """Find the owner with other parsers, for which the last of two equal keys counts."""
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
    """A room's metadata, ``None`` where there is no room, and the tenant who calls."""

    metadata: str | None
    expected: str
    caller: str


def cases(random: Random) -> Iterator[Case]:
    templates = [each for each in METADATA.values() if "\ud800" not in each.pattern]  # no Unicode
    while True:
        family = [*random.choice([*SPELLINGS.values()]).values()]
        template, spelling = random.choice(templates), random.choice(family)
        caller = random.choice([OTHER, *filter(can_call, family)])
        yield Case(template.text(spelling), expected(template.owner_for(spelling), caller), caller)
        yield Case(
            template.text(spelling), expected(template.owner_for(spelling), spelling), spelling
        )
        yield Case(None, RoomNotFoundReason.MISSING.value, caller)
        too_large = json.dumps({"auth_id": caller, "x": "x" * TOO_LARGE_BYTES})
        yield Case(too_large, RoomNotFoundReason.UNREADABLE.value, random.choice([OTHER, caller]))


def sample(number: int) -> Iterator[Case]:
    """Yield random cases, so many of each verdict."""
    verdicts = Counter[str]()
    for case in cases(Random(1)):  # noqa: S311 - no secret
        if verdicts[case.expected] < number and can_call(case.caller):
            verdicts[case.expected] += 1
            yield case
        if len(verdicts) == len(RoomNotFoundReason) + 1 and set(verdicts.values()) == {number}:
            return


@pytest.fixture
def double() -> LiveKitDouble:
    double = double_of(LiveKitRooms())
    double.rooms.put_room(ROOM)
    double.rooms.put_participant(ALICE)
    double.rooms.put_track(ALICE, PublishedTrack(sid=SID, muted=False))
    return double


@pytest.fixture
async def service(double: LiveKitDouble) -> AsyncIterator[Service]:
    async with serving(double, [OTHER, *filter(can_call, IDS)]) as service:
        yield service


async def send(service: Service, caller: str) -> bytes:
    """Send a mute on a connection of its own, and return everything received."""
    reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
    head = f"POST {MUTE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    token = f"Authorization: Bearer {token_of(caller)}\r\n"
    kind = f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
    writer.write(f"{head}{token}{kind}".encode() + BODY)
    received = await reader.read()
    writer.close()
    await writer.wait_closed()
    return received


class TestRoomsOverHttp:
    async def test_exist_only_for_their_owners(
        self, service: Service, double: LiveKitDouble, length: Length, metrics: Metrics
    ) -> None:
        """Only the log tells why a caller is rejected: responses and calls are the same."""
        masked, number = Counter[bytes](), length(short=75, full=4000)
        for case in sample(number):
            double.calls.clear()
            double.rooms.metadata.clear()
            if case.metadata is not None:
                double.rooms.put_room(ROOM, metadata=case.metadata)
            received = await send(service, case.caller)
            [answer] = parse_answers(received)
            event = service.events[-1]
            assert event["request_id"] == answer.headers["X-Request-ID"]
            if case.expected == ALLOWED:
                assert answer.status == HTTPStatus.OK, case
                assert double.calls == {"ListRooms": 1, "MutePublishedTrack": 1}
            else:
                assert answer.outcome == (HTTPStatus.NOT_FOUND, "ROOM_NOT_FOUND"), case
                assert double.calls == {"ListRooms": 1}, case
                assert event["reason"].partition(":")[0] == case.expected, case
                masked[PER_REQUEST.sub(b"", received)] += 1
        metrics.note("requests over HTTP", 5 * number)
        metrics.at_most("different masked 404s", len(masked), 1)
