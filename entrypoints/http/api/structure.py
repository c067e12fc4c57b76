"""JSON objects into attrs classes: no value is coerced and none is trimmed."""

from typing import TypeVar

from attrs import AttrsInstance
from cattrs import ClassValidationError, Converter

from domain.room import RoomName
from domain.track import ParticipantIdentity, TrackSid
from entrypoints.http.api.errors import InvalidRequestError

T = TypeVar("T", bound=AttrsInstance)


def structure(members: dict[str, object], cls: type[T]) -> T:
    """Check the members of a JSON object and take them exactly as they are; others are ignored.

    Raises:
        InvalidRequestError: members are missing, blank or of another type; the text names each.
    """
    try:
        return _converter.structure(members, cls)
    except ClassValidationError as error:
        raise InvalidRequestError(_describe(error)) from None


def _describe(error: ClassValidationError) -> str:
    noted, _ = error.group_exceptions()
    return "; ".join(
        f"{note.name} {'is missing' if isinstance(cause, KeyError) else cause}"
        for cause, note in noted
    )


def _exact_bool(value: object, _: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - cattrs groups by ValueError
    return value


def _not_blank(value: object, _: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")  # noqa: TRY004 - as above
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
