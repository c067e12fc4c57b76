"""Who is calling: a tenant, or an anonymous caller whom the operator allows."""

from typing import NewType

from attrs import field, frozen

TenantId = NewType("TenantId", str)

_MAX_CHARACTERS = 128


class InvalidTenantIdError(Exception):
    """A value is not valid as a tenant's id."""

    def __init__(self) -> None:
        super().__init__(
            f"a tenant id is 1 to {_MAX_CHARACTERS} printable characters"
            " without white space at its ends"
        )


def parse_tenant_id(found: object) -> TenantId:
    """Validate a tenant's id, which is used unchanged.

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
    """An authenticated tenant, who may act in its own rooms only."""

    id: TenantId = field(converter=TenantId)


@frozen(kw_only=True)
class AnonymousCaller:
    """A caller without an id, who may act in every room.

    Authentication is off, or the operator allows it. An answer of an identity source that cannot
    be understood is an error, never this.
    """


Caller = IdentifiedCaller | AnonymousCaller
