"""A key that LiveKit knows us by."""

from attrs import field, frozen


@frozen(kw_only=True)
class ApiKey:
    """A key's name and its secret, which signs our tokens."""

    name: str
    secret: str = field(repr=False)
