"""The JSON of requests and answers. Nothing is coerced and nothing trimmed."""

import orjson
from aiohttp import web
from attrs import AttrsInstance, asdict, fields, frozen
from cattrs import ClassValidationError, Converter

from domain.room import RoomName
from domain.track import ParticipantIdentity, TrackSid


@frozen(kw_only=True)
class MuteRequest:
    """What a caller asks for; other fields are ignored."""

    room_name: RoomName
    participant_identity: ParticipantIdentity
    track_sid: TrackSid
    muted: bool


@frozen(kw_only=True)
class MuteResponse:
    """What is so now."""

    room_name: RoomName
    participant_identity: ParticipantIdentity
    track_sid: TrackSid
    muted: bool


@frozen(kw_only=True)
class StatusBody:
    """The answer of the probes."""

    status: str


@frozen(kw_only=True)
class ErrorBody:
    """The one shape of every error."""

    error: str
    code: str


_JSON = "application/json; charset=utf-8"

FIELDS = tuple(field.name for field in fields(MuteRequest))


def structure_mute_request(
    members: dict[str, object], *, max_track_sid_characters: int
) -> MuteRequest:
    """Check a request's fields and take them exactly as they are.

    Raises:
        ValueError: a field is missing, blank, too long or of another type; the text names each.
    """
    try:
        wish = _converter.structure(members, MuteRequest)
    except ClassValidationError as error:
        raise ValueError(_describe(error)) from None
    if len(wish.track_sid) > max_track_sid_characters:
        raise ValueError(f"track_sid is longer than {max_track_sid_characters} characters")
    return wish


def json_response(body: AttrsInstance, *, status: int = 200) -> web.Response:
    """Answer with one of this room's shapes."""
    return web.Response(
        body=orjson.dumps(asdict(body)), status=status, headers={"Content-Type": _JSON}
    )


def _describe(error: ClassValidationError) -> str:
    noted, _ = error.group_exceptions()
    return "; ".join(
        f"{note.name} {'is missing' if isinstance(cause, KeyError) else cause}"
        for cause, note in noted
    )


def _exact_bool(value: object, _: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - one kind for all that is wrong
    return value


def _not_blank(value: object, _: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")  # noqa: TRY004
    if not value.strip():
        raise ValueError("must not be blank")
    return value


def _make_converter() -> Converter:
    converter = Converter()
    converter.register_structure_hook(bool, _exact_bool)
    for text in (RoomName, ParticipantIdentity, TrackSid):
        converter.register_structure_hook(text, _not_blank)
    return converter


_converter = _make_converter()
