"""Validation of a signed token's claims (RFC 7519)."""

from attrs import frozen

from application.ports.authenticator import CredentialRefusedError
from domain import strict_json
from domain.caller import (
    AnonymousCaller,
    Caller,
    IdentifiedCaller,
    InvalidTenantIdError,
    parse_tenant_id,
)

_LAST_SECOND = 253_402_300_799  # of the year 9999; a later date is a mistake, such as milliseconds


@frozen(kw_only=True)
class ClaimRules:
    """Rules for a token's claims.

    ``issuer`` and ``audience`` are checked unless they are ``None``. ``leeway_s`` is the allowed
    clock skew. ``allow_no_id`` accepts tokens without the id claim, as an anonymous caller's.
    """

    issuer: str | None = None
    audience: str | None = None
    id_claim: str = "sub"
    leeway_s: float = 30.0
    allow_no_id: bool = False

    def caller(self, payload: bytes, *, now: float) -> Caller:
        """Return the caller that the claims of a token with a verified signature name.

        Args:
            payload: the claims, as JSON.
            now: seconds since 1970.

        Raises:
            CredentialRefusedError: the claims are malformed or break a rule.
        """
        try:
            claims = strict_json.loads_object(payload)
        except strict_json.StrictJsonError as error:
            raise CredentialRefusedError(reason=f"payload {error}") from None
        self._check_times(claims, now)
        self._check_parties(claims)
        return self._caller(claims)

    def _check_times(self, claims: dict[str, object], now: float) -> None:
        if "exp" not in claims:
            raise CredentialRefusedError(reason="exp is missing")
        if now >= _date(claims, "exp", now) + self.leeway_s:
            raise CredentialRefusedError(reason="expired")
        if max(_date(claims, "nbf", now), _date(claims, "iat", now)) > now + self.leeway_s:
            raise CredentialRefusedError(reason="not valid yet")

    def _check_parties(self, claims: dict[str, object]) -> None:
        if self.issuer is not None and claims.get("iss") != self.issuer:
            raise CredentialRefusedError(reason="wrong issuer")
        audience = claims.get("aud", [])
        audiences = audience if isinstance(audience, list) else [audience]
        if not all(isinstance(one, str) for one in audiences):
            raise CredentialRefusedError(reason="aud is malformed")
        if self.audience is not None and self.audience not in audiences:
            raise CredentialRefusedError(reason="wrong audience")

    def _caller(self, claims: dict[str, object]) -> Caller:
        if self.allow_no_id and self.id_claim not in claims:
            return AnonymousCaller()
        try:
            return IdentifiedCaller(id=parse_tenant_id(claims.get(self.id_claim)))
        except InvalidTenantIdError:
            raise CredentialRefusedError(reason="id claim is not a valid tenant id") from None


def _date(claims: dict[str, object], name: str, default: float) -> float:
    """Return a claim that is a number of seconds since 1970, or ``default`` if it is missing."""
    found = claims.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise CredentialRefusedError(reason=f"{name} is not a number")
    if not 0 <= found <= _LAST_SECOND:
        raise CredentialRefusedError(reason=f"{name} is out of range")
    return found
