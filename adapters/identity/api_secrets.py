"""Tenants known by secrets that the operator has given out."""

import hmac
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import blake2b

from attrs import field, frozen
from typing_extensions import override

from application.ports.authenticator import (
    Authenticator,
    CredentialUnknownError,
    PresentCredential,
)
from domain.caller import Caller, IdentifiedCaller, TenantId


@frozen
class ApiSecrets:
    """The tenant of each secret; a tenant may have several.

    A secret is found by a digest under a key of this process alone, then compared once in
    constant time: ten thousand secrets cost what one costs, and time tells nothing of them.
    """

    tenants: Mapping[str, TenantId] = field(repr=False)
    _key: bytes = field(init=False, repr=False, eq=False, factory=partial(secrets.token_bytes, 32))
    _known: Mapping[bytes, tuple[bytes, TenantId]] = field(init=False, repr=False, eq=False)

    @_known.default
    def _digests(self) -> Mapping[bytes, tuple[bytes, TenantId]]:
        return {
            self._digest(secret.encode()): (secret.encode(), tenant)
            for secret, tenant in self.tenants.items()
        }

    def holder(self, token: str) -> TenantId | None:
        """Tell whose secret this is, if anybody's."""
        shown = token.encode()
        secret, tenant = self._known.get(self._digest(shown), (b"", None))
        return tenant if hmac.compare_digest(shown, secret) else None

    def _digest(self, secret: bytes) -> bytes:
        return blake2b(secret, key=self._key).digest()


@frozen
class ApiSecretsAuthenticator(Authenticator):
    """Knows a tenant by any of its secrets, as they stand now."""

    secrets: Callable[[], ApiSecrets]

    @override
    async def authenticate(self, present: PresentCredential) -> Caller:
        tenant = self.secrets().holder(present().token)
        if tenant is None:
            raise CredentialUnknownError(reason="no such API secret")
        return IdentifiedCaller(id=tenant)
