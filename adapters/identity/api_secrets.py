"""Tenants known by secrets that the operator has given out."""

import hmac
import secrets
from collections.abc import Mapping

from typing_extensions import override

from application.ports.authenticator import (
    Authenticator,
    CredentialRefusedError,
    PresentCredential,
)
from domain.caller import Caller, IdentifiedCaller, TenantId


class ApiSecretsAuthenticator(Authenticator):
    """Knows a tenant by any of its secrets.

    A secret is looked up by a digest under a key of this process alone, then compared once in
    constant time: ten thousand secrets cost what one costs, and time tells nothing of them.
    """

    def __init__(self, tenants: Mapping[str, TenantId]) -> None:
        """Take the tenant of each secret; a tenant may have several secrets."""
        self._key = secrets.token_bytes(32)
        self._known = {
            self._digest(secret.encode()): (secret.encode(), tenant)
            for secret, tenant in tenants.items()
        }

    @override
    async def authenticate(self, present: PresentCredential) -> Caller:
        token = present().token.encode()
        secret, tenant = self._known.get(self._digest(token), (b"", None))
        if not hmac.compare_digest(token, secret) or tenant is None:
            raise CredentialRefusedError
        return IdentifiedCaller(id=tenant)

    def _digest(self, secret: bytes) -> bytes:
        return hmac.digest(self._key, secret, "sha256")
