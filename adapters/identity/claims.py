"""What a signed token has to claim (RFC 7519) before it says who is calling."""

from attrs import frozen

from application.ports.authenticator import CredentialRefusedError
from domain import strict_json
from domain.caller import (
    Caller,
    IdentifiedCaller,
    InvalidTenantIdError,
    UnidentifiedCaller,
    tenant_id,
)

_LAST_SECOND = 253_402_300_799  # of the year 9999; a token that lives longer is a mistake


@frozen(kw_only=True)
class ClaimRules:
    """What the operator expects of a token's claims.

    ``issuer`` and ``audience`` are checked where they are not ``None``. ``leeway_s`` is how far
    the issuer's clock may be from ours. ``allow_no_id`` lets tokens without the id claim in.
    """

    issuer: str | None = None
    audience: str | None = None
    id_claim: str = "sub"
    leeway_s: float = 30.0
    allow_no_id: bool = False

    def caller(self, payload: bytes, *, now: float) -> Caller:
        """Tell who is calling from the claims of a token whose signature is good.

        Raises:
            CredentialRefusedError: the claims are malformed, or not what is expected at ``now``,
                seconds since 1970.
        """
        try:
            claims = strict_json.loads_object(payload)
        except strict_json.StrictJsonError as error:
            raise CredentialRefusedError(reason=f"the payload {error}") from None
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
            raise CredentialRefusedError(reason="from another issuer")
        audience = claims.get("aud", [])
        audiences = audience if isinstance(audience, list) else [audience]
        if not all(isinstance(one, str) for one in audiences):
            raise CredentialRefusedError(reason="aud is malformed")
        if self.audience is not None and self.audience not in audiences:
            raise CredentialRefusedError(reason="for another audience")

    def _caller(self, claims: dict[str, object]) -> Caller:
        if self.allow_no_id and self.id_claim not in claims:
            return UnidentifiedCaller()
        try:
            return IdentifiedCaller(id=tenant_id(claims.get(self.id_claim)))
        except InvalidTenantIdError:
            raise CredentialRefusedError(reason="the id claim is no tenant's id") from None


def _date(claims: dict[str, object], name: str, default: float) -> float:
    """Read a number of seconds since 1970; not a digit string, not 10^400."""
    found = claims.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise CredentialRefusedError(reason=f"{name} is not a number")
    if not 0 <= found <= _LAST_SECOND:
        raise CredentialRefusedError(reason=f"{name} is out of range")
    return found
