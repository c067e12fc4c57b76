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
    Identity,
    PresentedRequest,
)
from domain.caller import IdentifiedCaller, TenantId


@frozen
class ApiSecrets:
    """The tenant of each secret, and the name by which the log knows the secret.

    A tenant may have several secrets. A secret without a name is logged without one.
    A secret is looked up by a keyed digest, whose key is random for each process, then compared
    once in constant time. So the lookup costs the same for one secret as for ten thousand, and
    its duration leaks nothing about them.
    """

    tenants: Mapping[str, TenantId] = field(repr=False)
    names: Mapping[str, str] = field(repr=False, factory=dict)
    _key: bytes = field(init=False, repr=False, eq=False, factory=partial(secrets.token_bytes, 32))
    _known: Mapping[bytes, tuple[bytes, Identity]] = field(init=False, repr=False, eq=False)

    @_known.default
    def _digests(self) -> Mapping[bytes, tuple[bytes, Identity]]:
        return {
            self._digest(secret.encode()): (secret.encode(), self._identity(secret, tenant))
            for secret, tenant in self.tenants.items()
        }

    def holder(self, token: str) -> Identity | None:
        """Return the identity of the tenant that owns a secret, or ``None`` if it is unknown."""
        candidate = token.encode()
        secret, identity = self._known.get(self._digest(candidate), (b"", None))
        return identity if hmac.compare_digest(candidate, secret) else None

    def _identity(self, secret: str, tenant: TenantId) -> Identity:
        return Identity(
            caller=IdentifiedCaller(id=tenant),
            source="api-secrets",
            credential=self.names.get(secret, ""),
        )

    def _digest(self, secret: bytes) -> bytes:
        return blake2b(secret, key=self._key).digest()


@frozen
class ApiSecretsAuthenticator(Authenticator):
    """Identifies a tenant by any of its secrets; ``secrets`` returns the current ones."""

    secrets: Callable[[], ApiSecrets]

    @override
    async def authenticate(self, request: PresentedRequest) -> Identity:
        identity = self.secrets().holder(request.token)
        if identity is None:
            raise CredentialUnknownError(reason="unknown API secret")
        return identity

    @override
    async def verify_ready(self) -> None:
        """Return at once: the secrets are known from the start."""
