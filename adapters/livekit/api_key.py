"""An API key of LiveKit's."""

from attrs import field, frozen


@frozen(kw_only=True)
class ApiKey:
    """A key's name and the secret that signs our tokens."""

    name: str
    secret: str = field(repr=False)
