"""Authentication switched off."""

from attrs import frozen
from typing_extensions import override

from application.ports.authenticator import Authenticator, Identity, PresentedRequest
from domain.caller import AnonymousCaller

_IDENTITY = Identity(caller=AnonymousCaller(), source="anonymous")


@frozen
class AnonymousAuthenticator(Authenticator):
    """Accepts every request as an anonymous caller's, without reading its token."""

    @override
    async def authenticate(self, request: PresentedRequest) -> Identity:
        return _IDENTITY

    @override
    async def verify_ready(self) -> None:
        """Return at once: nothing has to be fetched."""
