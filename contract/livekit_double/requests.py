"""What the control interface takes, field by field."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import attrs
from attrs import field, frozen

from contract.livekit_answers import Answer, hang_up, http_response, silence, twirp_error
from contract.livekit_double.double import CALLS
from contract.twirp import STATUSES
from domain.strict_json import type_name
from domain.track import TrackKind, TrackSource

T = TypeVar("T")

ANY_CALL = "*"
_LONGEST_S = 3600
_STATUSES = range(200, 600)
_KINDS = (TrackKind.AUDIO.value, TrackKind.VIDEO.value)
_SOURCES = tuple(source.value for source in TrackSource)


class WrongInputError(Exception):
    """A request is not one that the control interface takes; the text names the field."""


def read(kind: type[T], given: object, *, within: str = "") -> T:
    """Read a request, or what is within one of its fields.

    Raises:
        WrongInputError: a field is missing, unknown, or has a wrong value.
    """
    if not isinstance(given, dict):
        raise WrongInputError(f"{within or 'the body'}: must be an object, not {type_name(given)}")
    fields = {each.name: each for each in attrs.fields(cast("Any", kind))}
    prefix = f"{within}." if within else ""
    for name in (each for each in given if each not in fields):
        raise WrongInputError(f"{prefix}{name}: unknown; there are {', '.join(fields) or 'none'}")
    for name, each in fields.items():
        if each.default is attrs.NOTHING and name not in given:
            raise WrongInputError(f"{prefix}{name}: missing")
    try:
        return kind(**given)
    except WrongInputError as error:
        raise WrongInputError(f"{prefix}{error}") from None


def _checked(wanted: str, is_valid: Callable[[Any], bool]) -> Callable[..., None]:
    def check(_request: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if not is_valid(value):
            raise WrongInputError(f"{attribute.name}: must be {wanted}")

    return check


def _one_of(values: tuple[str, ...]) -> Callable[..., None]:
    return _checked(f"one of {', '.join(values)}", lambda value: value in values)


_NAME = _checked("a string that is not empty", lambda value: isinstance(value, str) and value != "")
_TEXT = _checked("a string", lambda value: isinstance(value, str))
_FLAG = _checked("true or false", lambda value: isinstance(value, bool))
_STATUS = _checked(
    "an integer from 200 to 599", lambda value: type(value) is int and value in _STATUSES
)
_OPTIONAL = attrs.validators.optional


@frozen(kw_only=True)
class Nothing:
    """A request without fields."""


@frozen(kw_only=True)
class Somebody:
    """A participant who joins or leaves."""

    room: str = field(validator=_NAME)
    identity: str = field(validator=_NAME)


@frozen(kw_only=True)
class Publish(Somebody):
    """A track, which gets a new sid where none is given."""

    sid: str | None = field(default=None, validator=_OPTIONAL(_NAME))
    kind: str = field(default=TrackKind.AUDIO.value, validator=_one_of(_KINDS))
    source: str = field(default=TrackSource.MICROPHONE.value, validator=_one_of(_SOURCES))
    muted: bool = field(default=False, validator=_FLAG)


@frozen(kw_only=True)
class Unpublish(Somebody):
    """A track that ends."""

    sid: str = field(validator=_NAME)


@frozen(kw_only=True)
class Configure:
    """LiveKit's setting ``room.enable_remote_unmute``, and how long mutes of the absent take."""

    remote_unmute: bool | None = field(default=None, validator=_OPTIONAL(_FLAG))
    absent_wait_s: float | None = field(
        default=None,
        validator=_OPTIONAL(
            _checked(
                f"a number of seconds from 0 to {_LONGEST_S}",
                lambda value: type(value) in {int, float} and 0 <= value <= _LONGEST_S,
            )
        ),
    )


@frozen(kw_only=True)
class _TwirpAnswer:
    code: str = field(validator=_one_of(tuple(STATUSES)))
    msg: str = field(default="arranged", validator=_TEXT)
    status: int | None = field(default=None, validator=_OPTIONAL(_STATUS))


@frozen(kw_only=True)
class _HttpAnswer:
    status: int = field(validator=_STATUS)
    content_type: str = field(
        default="text/plain; charset=utf-8",
        validator=_checked(
            "printable ASCII",
            lambda value: isinstance(value, str) and value.isascii() and value.isprintable(),
        ),
    )
    body: str = field(default="", validator=_TEXT)


def _read_answer(given: object) -> Answer:
    match given:
        case "silence":
            return silence
        case "hang_up":
            return hang_up
        case {"twirp": twirp, **others} if not others:
            error = read(_TwirpAnswer, twirp, within="answer.twirp")
            return twirp_error(error.code, error.msg, status=error.status)
        case {"http": http, **others} if not others:
            response = read(_HttpAnswer, http, within="answer.http")
            return http_response(
                response.status, content_type=response.content_type, body=response.body
            )
    raise WrongInputError(
        'answer: must be "silence", "hang_up", {"twirp": {...}} or {"http": {...}}'
    )


@frozen(kw_only=True)
class Fail:
    """An answer for the next calls; ``times`` is None for all until the double is reset."""

    call: str = field(validator=_one_of((*CALLS, ANY_CALL)))
    answer: Answer = field(converter=_read_answer)
    times: int | None = field(
        default=1,
        validator=_checked(
            "an integer from 1, or null",
            lambda value: value is None or (type(value) is int and value > 0),
        ),
    )
