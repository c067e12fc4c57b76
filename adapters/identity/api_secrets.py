"""Tenants identified by API secrets that the operator has issued."""

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
    PresentedRequest,
)
from domain.caller import Caller, IdentifiedCaller, TenantId


@frozen
class ApiSecrets:
    """The tenant of each secret; a tenant may have several secrets.

    A secret is looked up by a keyed digest, whose key is random for each process, then compared
    once in constant time. So the lookup costs the same for one secret as for ten thousand, and
    its duration leaks nothing about them.
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
        """Return the tenant that owns a secret, or ``None`` if it is unknown."""
        candidate = token.encode()
        secret, tenant = self._known.get(self._digest(candidate), (b"", None))
        return tenant if hmac.compare_digest(candidate, secret) else None

    def _digest(self, secret: bytes) -> bytes:
        return blake2b(secret, key=self._key).digest()


@frozen
class ApiSecretsAuthenticator(Authenticator):
    """Identifies a tenant by any of its secrets; ``secrets`` returns the current ones."""

    secrets: Callable[[], ApiSecrets]

    @override
    async def authenticate(self, request: PresentedRequest) -> Caller:
        tenant = self.secrets().holder(request.token)
        if tenant is None:
            raise CredentialUnknownError(reason="unknown API secret")
        return IdentifiedCaller(id=tenant)

    @override
    async def verify_ready(self) -> None:
        """Return at once: the secrets are known from the start."""
