"""Bodies: 200 for a mute request in strict JSON, else 400 and no call of the gateway."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import nullcontext
from itertools import permutations

import pytest
from attrs import evolve, frozen

from adapters.identity.anonymous import AnonymousAuthenticator
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, PublishedTrack, TrackSid
from entrypoints.http.limits import Limits
from tests.entrypoints.http.conftest import rooms
from tests.entrypoints.http.delegated import CountingGateway
from tests.robustness.clients import NO_TIMEOUTS
from tests.robustness.failures import recorded
from tests.robustness.json_texts import NOT_JSON, SUITE_SIZE, VALUES, is_accepted, suite
from tests.robustness.metrics import Metrics
from tests.support.service import DEMO_REQUEST, Answer, Service, running_service
from tests.support.timeouts import HOUR_S

__all__ = ["rooms"]

pytestmark = pytest.mark.robustness("JSON bodies")

TEXTS = ("room_name", "participant_identity", "track_sid")
BODY = json.dumps(DEMO_REQUEST).encode()
LARGE_BODIES = evolve(NO_TIMEOUTS, max_body_bytes=2**19)
"""For the longest texts of the suite, which would be rejected for their size."""

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
    "a dotless i": "al\u0131ce",
    "right to left": "\u202ealice",
    "a combined emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "the last character": "\U0010ffff",
    "quotes": "\"'`\\/",
    "markup": "<script>&amp;",
    "a path": "../../etc/passwd",
    "a number": "1",
    "a boolean": "true",
    "JSON": '{"room_name": "x"}',
    "128 of four bytes": "\U0001f600" * 128,
}
"""Names that must not be normalised or confused."""

NOT_BOOLEANS = (
    *(b"null", b"0", b"1", b"1.0", b"-0", b"1e400", b'""', b'"true"', b'"True"', b'"1"'),
    *(b"[]", b"[true]", b"{}", b'{"muted":true}', b"NaN", b"True", b"TRUE", b"on", b"yes"),
)
"""Invalid values of ``muted``."""


@frozen
class Target:
    service: Service
    rooms: CountingGateway

    async def post(self, body: bytes) -> Answer:
        """Post a body; the gateway must be called unless the status is 400."""
        self.rooms.calls.clear()
        answer = await self.service.post(body)
        assert answer.status in (200, 400, 404)
        assert bool(self.rooms.calls) == (answer.status != 400)
        assert "stack" not in self.service.events[-1]
        return answer

    async def accepts(self, body: bytes) -> bool:
        """Post a body that is a request for the demo's track, or an invalid one."""
        answer = await self.post(body)
        assert answer.status == 200 or answer.outcome == (400, "INVALID_REQUEST")
        return answer.status == 200

    async def accepted_of(self, bodies: Iterable[bytes]) -> list[bytes]:
        return [body for body in bodies if await self.accepts(body)]

    def put_track(self, name: str) -> None:
        participant = Participant(room=RoomName(name), identity=ParticipantIdentity(name))
        self.rooms.rooms.put_room(participant.room)
        self.rooms.rooms.put_participant(participant)
        self.rooms.rooms.put_track(participant, PublishedTrack(sid=TrackSid(name), muted=False))


@pytest.fixture
def limits() -> Limits:
    return NO_TIMEOUTS


@pytest.fixture
async def target(rooms: CountingGateway, limits: Limits) -> AsyncIterator[Target]:
    async with running_service(
        open_gateway=lambda: nullcontext(rooms),
        open_authenticator=lambda: nullcontext(AnonymousAuthenticator()),
        limits=limits,
        timeout_s=HOUR_S,
    ) as service:
        yield Target(service, rooms)


def with_field(name: str, text: bytes) -> bytes:
    """Write the demo's request with a text as the value of a field."""
    others = {key: value for key, value in DEMO_REQUEST.items() if key != name}
    members = json.dumps(others).encode()
    return members[:-1] + b', "' + name.encode() + b'": ' + text + b"}"


class TestABody:
    async def test_that_is_a_mute_request_is_accepted(self, target: Target) -> None:
        assert await target.accepts(BODY)
        assert await target.accepts(b" \t\r\n" + BODY + b" \t\r\n")

    async def test_that_is_none_is_rejected(self, target: Target) -> None:
        assert await target.accepted_of([*VALUES, *NOT_JSON]) == []

    async def test_may_have_other_fields_of_any_json(self, target: Target) -> None:
        bodies = [with_field("extra", text) for text in VALUES]
        assert await target.accepted_of(bodies) == bodies

    async def test_may_have_no_value_that_is_invalid_json(self, target: Target) -> None:
        for name in ("extra", *DEMO_REQUEST):
            assert await target.accepted_of(with_field(name, text) for text in NOT_JSON) == []

    async def test_has_nothing_before_or_after_it(self, target: Target) -> None:
        texts = [text for text in NOT_JSON if text.strip()]
        assert await target.accepted_of(BODY + text for text in texts) == []
        assert await target.accepted_of(text + BODY for text in texts) == []

    async def test_is_complete_or_rejected(self, target: Target) -> None:
        assert await target.accepted_of(BODY[:end] for end in range(len(BODY))) == []
        assert await target.accepted_of(BODY[start:] for start in range(1, len(BODY))) == []

    async def test_is_utf_8_without_a_byte_order_mark(self, target: Target) -> None:
        body = json.dumps({**DEMO_REQUEST, "extra": "\xe9"}, ensure_ascii=False)
        encodings = ("utf-16", "utf-16-le", "utf-32-be", "utf-8-sig")
        assert await target.accepted_of(body.encode(each) for each in encodings) == []

    async def test_may_have_16_kib(self, target: Target) -> None:
        assert await target.accepts(BODY + b" " * (2**14 - len(BODY)))
        answer = await target.service.post(BODY + b" " * (2**14 - len(BODY) + 1))
        assert answer.outcome == (413, "PAYLOAD_TOO_LARGE")

    async def test_may_have_64_levels(self, target: Target) -> None:
        assert await target.accepts(with_field("extra", b"[" * 63 + b"]" * 63))
        assert not await target.accepts(with_field("extra", b"[" * 64 + b"]" * 64))

    async def test_may_have_numbers_of_4300_digits(self, target: Target) -> None:
        assert await target.accepts(with_field("extra", b"9" * 4300))
        assert not await target.accepts(with_field("extra", b"9" * 4301))


class TestFields:
    async def test_may_come_in_any_order(self, target: Target) -> None:
        for order in permutations(DEMO_REQUEST.items()):
            assert await target.accepts(json.dumps(dict(order)).encode())

    async def test_may_be_escaped(self, target: Target) -> None:
        for name, value in DEMO_REQUEST.items():
            escaped = "".join(f"\\u{ord(letter):04x}" for letter in name)
            assert await target.accepts(BODY.replace(name.encode(), escaped.encode(), 1))
            letters = "".join(f"\\u{ord(letter):04X}" for letter in str(value))
            text = json.dumps(value) if name == "muted" else f'"{letters}"'
            assert await target.accepts(with_field(name, text.encode()))

    @pytest.mark.parametrize("name", DEMO_REQUEST)
    async def test_are_required_once(self, target: Target, name: str) -> None:
        value = json.dumps(DEMO_REQUEST[name]).encode()
        rest = {key: each for key, each in DEMO_REQUEST.items() if key != name}
        assert not await target.accepts(json.dumps(rest).encode())
        assert not await target.accepts(BODY[:-1] + b', "' + name.encode() + b'": ' + value + b"}")
        escaped = f"\\u{ord(name[0]):04x}{name[1:]}".encode()
        assert not await target.accepts(BODY[:-1] + b', "' + escaped + b'": ' + value + b"}")

    @pytest.mark.parametrize("name", DEMO_REQUEST)
    async def test_have_exact_names(self, target: Target, name: str) -> None:
        wide = chr(ord(name[0]) + 0xFEE0) + name[1:]
        others = (name.upper(), name.title(), f" {name}", f"{name} ", f"{name}-", wide, name[:-1])
        for other in others:
            assert not await target.accepts(BODY.replace(name.encode(), other.encode()))
            assert await target.accepts(with_field(other, b"0"))

    async def test_may_be_among_many_others(self, target: Target) -> None:
        odd = {"": 0, "__proto__": {}, "constructor": None, "auth_id": "x", "x" * 4000: "y" * 4000}
        assert await target.accepts(json.dumps({**odd, **DEMO_REQUEST}).encode())
        assert await target.accepts(
            json.dumps({f"{n}": n for n in range(900)} | {**DEMO_REQUEST}).encode()
        )

    async def test_that_are_booleans_are_true_or_false(self, target: Target) -> None:
        assert await target.accepted_of(with_field("muted", text) for text in NOT_BOOLEANS) == []

    async def test_that_are_strings_are_of_no_other_type(self, target: Target) -> None:
        others = [text for text in VALUES if not text.startswith(b'"')]
        for name in TEXTS:
            assert await target.accepted_of(with_field(name, text) for text in others) == []

    async def test_that_are_strings_are_not_blank(self, target: Target) -> None:
        for name in TEXTS:
            requests = [{**DEMO_REQUEST, name: blank} for blank in ("", BLANK, *BLANK)]
            assert await target.accepted_of(json.dumps(each).encode() for each in requests) == []

    async def test_that_are_strings_are_compared_exactly(self, target: Target) -> None:
        failures: dict[str, str] = {}
        for what, name in NAMES.items():
            fields = {**dict.fromkeys(TEXTS, name), "muted": True}
            with recorded(failures, what):
                assert (await target.post(json.dumps(fields).encode())).status == 404
                target.put_track(name)
                for ascii_ in (True, False):
                    answer = await target.post(json.dumps(fields, ensure_ascii=ascii_).encode())
                    assert answer.json == fields
                for other in (f"{name} ", f" {name}", f"{name}\0", name * 2):
                    answer = await target.post(json.dumps({**fields, "room_name": other}).encode())
                    assert answer.outcome == (404, "PARTICIPANT_NOT_FOUND")
        assert failures == {}

    async def test_that_are_strings_may_be_long_except_the_track(self, target: Target) -> None:
        for name, letters, status in (
            ("room_name", 10_000, 404),
            ("participant_identity", 10_000, 404),
            ("track_sid", 128, 404),
            ("track_sid", 129, 400),
        ):
            for letter in ("x", "\xe9", "\U0001f600") if letters < 10_000 else ("x",):
                fields = {**DEMO_REQUEST, name: letter * letters}
                body = json.dumps(fields, ensure_ascii=False).encode()
                assert (await target.post(body)).status == status


@pytest.mark.json_test_suite
class TestThePublicSuite:
    def test_is_complete(self, metrics: Metrics) -> None:
        metrics.at_least("texts of the suite", len(suite()), SUITE_SIZE)

    @pytest.mark.parametrize("limits", [LARGE_BODIES], ids=["large bodies"])
    async def test_is_accepted_where_it_is_strict_json(self, target: Target) -> None:
        assert await target.accepted_of(suite().values()) == []
        accepted = [
            name for name in suite() if await target.accepts(with_field("extra", suite()[name]))
        ]
        assert accepted == [name for name in suite() if is_accepted(name)]

    @pytest.mark.parametrize("limits", [LARGE_BODIES], ids=["large bodies"])
    @pytest.mark.parametrize("name", DEMO_REQUEST)
    async def test_is_accepted_for_a_field_where_it_is_of_its_type(
        self, target: Target, name: str
    ) -> None:
        kind = type(DEMO_REQUEST[name])
        for file, text in suite().items():
            answer = await target.post(with_field(name, text))
            fits = is_accepted(file) and isinstance(value := json.loads(text), kind)
            blank = fits and isinstance(value, str) and not value.strip()
            assert (answer.status != 400) is (fits and not blank), file
