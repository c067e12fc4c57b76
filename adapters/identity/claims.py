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

_MISSING = object()
_LAST_SECOND = 253_402_300_799  # of the year 9999; a later date is a mistake, such as milliseconds


@frozen(kw_only=True)
class ClaimRules:
    """Rules for a token's claims.

    ``issuer`` and ``audience`` are checked unless they are ``None``, the latter in the claim
    ``audience_claim``. ``leeway_s`` is the allowed clock skew. ``allow_no_id`` accepts tokens
    without the id claim, as an anonymous caller's. The two names of claims may be paths, see
    :func:`_find`.
    """

    issuer: str | None = None
    audience: str | None = None
    audience_claim: str = "aud"
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
        _audiences(claims, "aud")  # has to be well-formed even if it is not checked
        if self.audience is None:
            return
        audiences = _audiences(claims, self.audience_claim)
        if not audiences:
            raise CredentialRefusedError(reason=f"{self.audience_claim} is missing")
        if self.audience not in audiences:
            raise CredentialRefusedError(reason="wrong audience")

    def _caller(self, claims: dict[str, object]) -> Caller:
        found = _find(claims, self.id_claim)
        if found is _MISSING:
            if self.allow_no_id:
                return AnonymousCaller()
            raise CredentialRefusedError(reason="id claim is missing")
        if not isinstance(found, str):
            kind = strict_json.type_name(found)
            raise CredentialRefusedError(reason=f"id claim is {kind}, not a string")
        try:
            return IdentifiedCaller(id=parse_tenant_id(found))
        except InvalidTenantIdError:
            raise CredentialRefusedError(reason="id claim is not a valid tenant id") from None


def _find(claims: dict[str, object], name: str) -> object:
    """Return the claim of exactly this name or, if there is none, the member at this path.

    The names on a path are separated by dots and may contain dots themselves, as URLs do: the
    longest one that exists counts. ``_MISSING`` is returned if a name does not exist.

    Raises:
        CredentialRefusedError: the path leads into something else than an object, so that nobody
            can tell whether the token has the claim.
    """
    while name not in claims:
        ends = [end for end, letter in enumerate(name) if letter == "." and name[:end] in claims]
        if not ends:
            return _MISSING
        inner = claims[name[: ends[-1]]]
        if not isinstance(inner, dict):
            kind = strict_json.type_name(inner)
            raise CredentialRefusedError(reason=f"a claim on the path is {kind}, not an object")
        claims, name = inner, name[ends[-1] + 1 :]
    return claims[name]


def _audiences(claims: dict[str, object], name: str) -> list[str]:
    """Return the values of a claim that is a string or an array of strings; none if missing."""
    found = _find(claims, name)
    values = found if isinstance(found, list) else [] if found is _MISSING else [found]
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) < len(values):
        raise CredentialRefusedError(reason=f"{name} is malformed")
    return texts


def _date(claims: dict[str, object], name: str, default: float) -> float:
    """Return a claim that is a number of seconds since 1970, or ``default`` if it is missing."""
    found = claims.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise CredentialRefusedError(reason=f"{name} is not a number")
    if not 0 <= found <= _LAST_SECOND:
        raise CredentialRefusedError(reason=f"{name} is out of range")
    return found
