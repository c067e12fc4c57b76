"""Who is calling: a tenant, or somebody whom the operator lets in without an id."""

from typing import NewType

from attrs import frozen

TenantId = NewType("TenantId", str)

_MAX_CHARACTERS = 128


class InvalidTenantIdError(Exception):
    """Something cannot be a tenant's id."""

    def __init__(self) -> None:
        super().__init__(
            f"a tenant id is 1 to {_MAX_CHARACTERS} printable characters"
            " without white space at its ends"
        )


def tenant_id(found: object) -> TenantId:
    """Accept a tenant's id as it stands, from whatever source it comes.

    Raises:
        InvalidTenantIdError: it is not a string, is empty, longer than 128 characters, not
            printable, or has white space at an end.
    """
    if not isinstance(found, str) or not 1 <= len(found) <= _MAX_CHARACTERS:
        raise InvalidTenantIdError
    if not found.isprintable() or found != found.strip():
        raise InvalidTenantIdError
    return TenantId(found)


@frozen(kw_only=True)
class IdentifiedCaller:
    """An authenticated tenant, who reaches its own rooms only."""

    id: TenantId


@frozen(kw_only=True)
class UnidentifiedCaller:
    """Somebody without an id, on purpose: authentication is off, or the operator allows it.

    An identity source that cannot be understood is an error, never this: this opens every room.
    """


Caller = IdentifiedCaller | UnidentifiedCaller
