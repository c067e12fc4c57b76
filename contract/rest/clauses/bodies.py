"""R2: which bodies are invalid."""

import json
from collections.abc import Iterable

from contract.rest.endpoint import Endpoint

_TEXTS = ("room_name", "participant_identity", "track_sid")
_LONGEST_SID = 128
_DEEPEST = 64


def rejects_what_is_not_json(rest: Endpoint) -> None:
    """R2.1 A body that is not JSON is answered with 400."""
    _expect_400(rest, (b"", b"{", b"muted=true", _valid(rest) + b"x", b"{'muted': true}"))


def rejects_other_encodings(rest: Endpoint) -> None:
    """R2.2 A body that is not UTF-8 is answered with 400."""
    latin = _valid(rest, more="\u00e9").decode().replace("\\u00e9", "\u00e9").encode("latin-1")
    _expect_400(rest, (latin, _valid(rest).decode().encode("utf-16")))


def rejects_byte_order_marks(rest: Endpoint) -> None:
    """R2.3 A body that begins with a byte order mark is answered with 400."""
    _expect_400(rest, [b"\xef\xbb\xbf" + _valid(rest)])


def rejects_what_is_no_object(rest: Endpoint) -> None:
    """R2.4 A body that is JSON and not an object is answered with 400."""
    _expect_400(rest, (b"[" + _valid(rest) + b"]", b'"text"', b"1", b"null", b"[]"))


def rejects_missing_fields(rest: Endpoint) -> None:
    """R2.5 A body without one of the four fields is answered with 400."""
    whole = json.loads(_valid(rest))
    for missing in whole:
        rest.mute({k: v for k, v in whole.items() if k != missing}).expect_status(400)


def rejects_blank_texts(rest: Endpoint) -> None:
    """R2.6 A text that is empty, or white space only, is answered with 400."""
    for blank in ("", " ", "\t\n", "\u00a0\u3000"):
        _expect_400(rest, (_valid(rest, **{field: blank}) for field in _TEXTS))


def rejects_texts_of_other_types(rest: Endpoint) -> None:
    """R2.7 A number, null, an array, an object or a boolean for a text is answered with 400."""
    for value in (1, None, ["a"], {"a": "b"}, True):
        _expect_400(rest, (_valid(rest, **{field: value}) for field in _TEXTS))


def rejects_states_of_other_types(rest: Endpoint) -> None:
    """R2.8 A value of muted other than true and false is answered with 400; none is converted."""
    _expect_400(rest, (_valid(rest, muted=value) for value in ("true", "", 1, 0, None, [True])))


def rejects_duplicate_keys(rest: Endpoint) -> None:
    """R2.9 A key that is given twice in one object, at any depth, is answered with 400."""
    for member in (b'"muted": true', b'"room_name": "a"', b'"more": {"a": 1, "a": 2}'):
        _expect_400(rest, [_valid(rest)[:-1] + b", " + member + b"}"])


def rejects_what_is_no_number(rest: Endpoint) -> None:
    """R2.10 NaN and Infinity, anywhere in the body, are answered with 400."""
    for number in (float("nan"), float("inf"), float("-inf")):
        _expect_400(rest, [_valid(rest, more=[number])])


def rejects_lone_surrogates(rest: Endpoint) -> None:
    """R2.11 A lone surrogate, as an escape, is answered with 400."""
    for field in (*_TEXTS, "more"):
        _expect_400(rest, [_valid(rest, **{field: "a\ud83d"})])


def rejects_long_sids(rest: Endpoint) -> None:
    """R2.12 A track_sid of more than 128 characters is answered with 400."""
    _expect_400(rest, [_valid(rest, track_sid="T" * (_LONGEST_SID + 1))])


def accepts_sids_up_to_the_limit(rest: Endpoint) -> None:
    """R2.13 A track_sid of 128 characters, of whatever length in bytes, is valid."""
    for letter in ("T", "\U0001f600"):
        room = rest.livekit.open_room(owner=rest.tenant.id)
        place = rest.livekit.publish(room, sid=letter * _LONGEST_SID)
        rest.mute(place.request()).expect_status(200)


def rejects_deep_nesting(rest: Endpoint) -> None:
    """R2.14 A body that is nested more than 64 deep is answered with 400."""
    for depth in (_DEEPEST, 2000):
        deep = b"[" * depth + b"]" * depth
        _expect_400(rest, [_valid(rest)[:-1] + b', "more": ' + deep + b"}"])


def names_the_field(rest: Endpoint) -> None:
    """R2.15 The message names the field that is missing, blank or of another type."""
    whole = json.loads(_valid(rest))
    for field in whole:
        answers = [
            rest.mute({k: v for k, v in whole.items() if k != field}),
            rest.mute({**whole, field: 1}),
            rest.mute({**whole, field: " "}),
        ]
        for answer in answers:
            answer.expect(field in answer.error, f"{field} in the message")


def tells_its_code(rest: Endpoint) -> None:
    """R2.16 The code for an invalid body is INVALID_REQUEST."""
    for body in (b"{", _valid(rest, muted=1)):
        rest.post(body).expect_code("INVALID_REQUEST")


def _valid(rest: Endpoint, **changes: object) -> bytes:
    """Return a body whose track exists, with changes."""
    place = rest.livekit.publish_in(rest.tenant.id)
    return json.dumps(place.request(**changes)).encode()


def _expect_400(rest: Endpoint, bodies: Iterable[bytes]) -> None:
    for body in bodies:
        rest.post(body).expect_status(400)
