"""Authentication switched off."""

from attrs import frozen
from typing_extensions import override

from application.ports.authenticator import Authenticator, PresentCredential
from domain.caller import Caller, UnidentifiedCaller


@frozen
class NobodyAuthenticator(Authenticator):
    """Lets everybody in without an id, and never looks at what they show."""

    @override
    async def authenticate(self, present: PresentCredential) -> Caller:
        return UnidentifiedCaller()
