"""Bodies of all kinds: 200 for a wish in strict JSON, else 400, and then nobody is asked."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import nullcontext
from itertools import permutations

import pytest
from attrs import frozen

from adapters.identity.nobody import NobodyAuthenticator
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, Track, TrackSid
from entrypoints.http.limits import Limits
from tests.campaigns.figures import Figures
from tests.campaigns.json_texts import NOT_JSON, SUITE_SIZE, VALUES, is_taken, suite
from tests.entrypoints.http.conftest import rooms
from tests.entrypoints.http.delegated import CountingGateway
from tests.service import DEMO_WISH, Answer, Service, running_service

__all__ = ["rooms"]

pytestmark = pytest.mark.campaign("JSON bodies")

TEXTS = ("room_name", "participant_identity", "track_sid")
WISH = json.dumps(DEMO_WISH).encode()
ROOMY = Limits(leaving_s=0, max_body_bytes=2**19)
"""For the suite's longest, which are refused for their size otherwise."""

BLANK = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
NAMES: Mapping[str, str] = {
    **{
        f"U+{ord(mark):04X}": mark
        for mark in "\0\x08\x1b\x7f\x80\xad\u180e\u200b\u2060\ufeff\uffff"
    },
    **{f"blanks and {mark}": f" \t{mark}\u3000" for mark in "ab"},
    "composed": "\xe9",
    "decomposed": "e\u0301",
    "Cyrillic": "\u0430lice",
    "wide": "\uff41lice",
    "a ligature": "\ufb01",
    "a dotless letter": "al\u0131ce",
    "right to left": "\u202ealice",
    "an emoji of many": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "the last character": "\U0010ffff",
    "quotes": "\"'`\\/",
    "markup": "<script>&amp;",
    "a path": "../../etc/passwd",
    "a number": "1",
    "a truth": "true",
    "JSON": '{"room_name": "x"}',
    "128 of four bytes": "\U0001f600" * 128,
}
"""Names that stand for themselves alone."""

NEITHER = (
    *(b"null", b"0", b"1", b"1.0", b"-0", b"1e400", b'""', b'"true"', b'"True"', b'"1"'),
    *(b"[]", b"[true]", b"{}", b'{"muted":true}', b"NaN", b"True", b"TRUE", b"on", b"yes"),
)
"""What ``muted`` cannot be."""


@frozen
class Target:
    service: Service
    rooms: CountingGateway

    async def post(self, body: bytes) -> Answer:
        """Post a body; the rooms are asked if, and only if, it is no bad request."""
        self.rooms.calls.clear()
        answer = await self.service.post(body)
        assert answer.status in (200, 400, 404)
        assert bool(self.rooms.calls) == (answer.status != 400)
        assert "stack" not in self.service.events[-1]
        return answer

    async def takes(self, body: bytes) -> bool:
        """Post a body that is a wish for the demo's track, or a bad request."""
        answer = await self.post(body)
        assert answer.status == 200 or answer.told == (400, "INVALID_REQUEST")
        return answer.status == 200

    async def taken_of(self, bodies: Iterable[bytes]) -> list[bytes]:
        return [body for body in bodies if await self.takes(body)]

    def arrange(self, name: str) -> None:
        participant = Participant(room=RoomName(name), identity=ParticipantIdentity(name))
        self.rooms.rooms.put_room(participant.room)
        self.rooms.rooms.put_participant(participant)
        self.rooms.rooms.put_track(participant, Track(sid=TrackSid(name), muted=False))


@pytest.fixture
def limits() -> Limits:
    return Limits(leaving_s=0)


@pytest.fixture
async def target(rooms: CountingGateway, limits: Limits) -> AsyncIterator[Target]:
    async with running_service(
        open_gateway=lambda: nullcontext(rooms),
        open_authenticator=lambda: nullcontext(NobodyAuthenticator()),
        limits=limits,
    ) as service:
        yield Target(service, rooms)


def beside(name: str, text: bytes, wish: Mapping[str, object] = DEMO_WISH) -> bytes:
    """Write a wish with a text as the value of one more field, or of one of its own."""
    members = json.dumps({key: value for key, value in wish.items() if key != name}).encode()
    return members[:-1] + b', "' + name.encode() + b'": ' + text + b"}"


class TestABody:
    async def test_that_is_a_wish_is_taken(self, target: Target) -> None:
        assert await target.takes(WISH)
        assert await target.takes(b" \t\r\n" + WISH + b" \t\r\n")

    async def test_that_is_no_wish_is_refused(self, target: Target) -> None:
        assert await target.taken_of([*VALUES, *NOT_JSON]) == []

    async def test_may_have_any_json_beside_the_wish(self, target: Target) -> None:
        bodies = [beside("extra", text) for text in VALUES]
        assert await target.taken_of(bodies) == bodies

    @pytest.mark.parametrize("name", ["extra", *DEMO_WISH])
    async def test_may_have_nothing_else_as_a_value(self, target: Target, name: str) -> None:
        assert await target.taken_of(beside(name, text) for text in NOT_JSON) == []

    async def test_has_nothing_around_it(self, target: Target) -> None:
        texts = [text for text in NOT_JSON if text.strip()]
        assert await target.taken_of(WISH + text for text in texts) == []
        assert await target.taken_of(text + WISH for text in texts) == []

    def test_is_of_many_kinds(self, figures: Figures) -> None:
        figures.at_least("texts beside those of the suite", len({*VALUES, *NOT_JSON}), 60)

    async def test_is_whole_or_refused(self, target: Target) -> None:
        assert await target.taken_of(WISH[:end] for end in range(len(WISH))) == []
        assert await target.taken_of(WISH[start:] for start in range(1, len(WISH))) == []

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32-be", "utf-8-sig"])
    async def test_is_utf_8_without_a_mark(self, target: Target, encoding: str) -> None:
        body = json.dumps({**DEMO_WISH, "extra": "\xe9"}, ensure_ascii=False).encode(encoding)
        assert not await target.takes(body)

    async def test_may_be_of_16_kib_and_no_more(self, target: Target) -> None:
        assert await target.takes(WISH + b" " * (2**14 - len(WISH)))
        answer = await target.service.post(WISH + b" " * (2**14 - len(WISH) + 1))
        assert answer.told == (413, "PAYLOAD_TOO_LARGE")

    @pytest.mark.parametrize(("deep", "taken"), [(63, True), (64, False)])
    async def test_may_be_64_deep(self, target: Target, deep: int, *, taken: bool) -> None:
        assert await target.takes(beside("extra", b"[" * deep + b"]" * deep)) is taken

    @pytest.mark.parametrize(("digits", "taken"), [(4300, True), (4301, False)])
    async def test_may_have_long_numbers(self, target: Target, digits: int, *, taken: bool) -> None:
        assert await target.takes(beside("extra", b"9" * digits)) is taken


class TestFields:
    async def test_may_come_in_any_order(self, target: Target) -> None:
        for order in permutations(DEMO_WISH.items()):
            assert await target.takes(json.dumps(dict(order)).encode())

    async def test_may_be_spelt_in_escapes(self, target: Target) -> None:
        for name, value in DEMO_WISH.items():
            escaped = "".join(f"\\u{ord(letter):04x}" for letter in name)
            assert await target.takes(WISH.replace(name.encode(), escaped.encode(), 1))
            letters = "".join(f"\\u{ord(letter):04X}" for letter in str(value))
            text = json.dumps(value) if name == "muted" else f'"{letters}"'
            assert await target.takes(beside(name, text.encode()))

    @pytest.mark.parametrize("name", DEMO_WISH)
    async def test_are_all_needed_and_none_twice(self, target: Target, name: str) -> None:
        value = json.dumps(DEMO_WISH[name]).encode()
        rest = {key: each for key, each in DEMO_WISH.items() if key != name}
        assert not await target.takes(json.dumps(rest).encode())
        assert not await target.takes(WISH[:-1] + b', "' + name.encode() + b'": ' + value + b"}")
        escaped = f"\\u{ord(name[0]):04x}{name[1:]}".encode()
        assert not await target.takes(WISH[:-1] + b', "' + escaped + b'": ' + value + b"}")

    @pytest.mark.parametrize("name", DEMO_WISH)
    async def test_are_called_by_their_names_alone(self, target: Target, name: str) -> None:
        wide = chr(ord(name[0]) + 0xFEE0) + name[1:]
        others = (name.upper(), name.title(), f" {name}", f"{name} ", f"{name}-", wide, name[:-1])
        for other in others:
            assert not await target.takes(WISH.replace(name.encode(), other.encode()))
            assert await target.takes(beside(other, b"0"))

    async def test_may_be_among_many_others(self, target: Target) -> None:
        odd = {"": 0, "__proto__": {}, "constructor": None, "auth_id": "x", "x" * 4000: "y" * 4000}
        assert await target.takes(json.dumps({**odd, **DEMO_WISH}).encode())
        assert await target.takes(
            json.dumps({f"{n}": n for n in range(900)} | {**DEMO_WISH}).encode()
        )

    async def test_of_a_truth_are_true_or_false(self, target: Target) -> None:
        assert await target.taken_of(beside("muted", text) for text in NEITHER) == []

    @pytest.mark.parametrize("name", TEXTS)
    async def test_of_text_are_nothing_else(self, target: Target, name: str) -> None:
        others = [text for text in VALUES if not text.startswith(b'"')]
        assert await target.taken_of(beside(name, text) for text in others) == []

    @pytest.mark.parametrize("name", TEXTS)
    async def test_of_text_are_not_blank(self, target: Target, name: str) -> None:
        wishes = [{**DEMO_WISH, name: blank} for blank in ("", BLANK, *BLANK)]
        assert await target.taken_of(json.dumps(wish).encode() for wish in wishes) == []

    @pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
    async def test_of_text_stand_for_themselves_alone(self, target: Target, name: str) -> None:
        wish = {**dict.fromkeys(TEXTS, name), "muted": True}
        assert (await target.post(json.dumps(wish).encode())).status == 404
        target.arrange(name)
        for ascii_ in (True, False):
            answer = await target.post(json.dumps(wish, ensure_ascii=ascii_).encode())
            assert answer.json == wish
        for near in (f"{name} ", f" {name}", f"{name}\0", name * 2):
            answer = await target.post(json.dumps({**wish, "room_name": near}).encode())
            assert answer.told == (404, "PARTICIPANT_NOT_FOUND")

    async def test_of_text_may_be_long_but_for_the_track(self, target: Target) -> None:
        for name, letters, status in (
            ("room_name", 10_000, 404),
            ("participant_identity", 10_000, 404),
            ("track_sid", 128, 404),
            ("track_sid", 129, 400),
        ):
            for letter in ("x", "\xe9", "\U0001f600") if letters < 10_000 else ("x",):
                wish = {**DEMO_WISH, name: letter * letters}
                body = json.dumps(wish, ensure_ascii=False).encode()
                assert (await target.post(body)).status == status


@pytest.mark.skipif(not suite(), reason="JSON_TEST_SUITE names no checkout of the suite")
class TestThePublicSuite:
    def test_is_all_there(self, figures: Figures) -> None:
        figures.at_least("texts of the suite", len(suite()), SUITE_SIZE)

    @pytest.mark.parametrize("limits", [ROOMY], ids=["roomy"])
    async def test_is_taken_where_it_is_strict_json(self, target: Target) -> None:
        assert await target.taken_of(suite().values()) == []
        taken = [name for name in suite() if await target.takes(beside("extra", suite()[name]))]
        assert taken == [name for name in suite() if is_taken(name)]

    @pytest.mark.parametrize("limits", [ROOMY], ids=["roomy"])
    @pytest.mark.parametrize("name", DEMO_WISH)
    async def test_is_taken_for_a_field_where_it_is_of_its_type(
        self, target: Target, name: str
    ) -> None:
        kind = type(DEMO_WISH[name])
        for file, text in suite().items():
            answer = await target.post(beside(name, text))
            fits = is_taken(file) and isinstance(value := json.loads(text), kind)
            blank = fits and isinstance(value, str) and not value.strip()
            assert (answer.status != 400) is (fits and not blank), file
