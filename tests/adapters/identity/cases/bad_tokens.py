"""Bad tokens, by what is wrong with each.

So that no library lets one in, each is expired too, or from another issuer, unless it is the
tenant's id that is wrong. The tests distinguish the reasons.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial

from adapters.identity.public_keys import PublicKeys, parse_key_set
from tests.adapters.identity.cases.bad_claims import BAD_PAYLOADS
from tests.adapters.identity.cases.bad_headers import BAD_HEADERS, UNKNOWN_KIDS
from tests.adapters.identity.cases.bad_keys import UNUSABLE_KEYS, UnusableKey
from tests.adapters.identity.cases.bad_shapes import BAD_SHAPES, NESTED
from tests.adapters.identity.cases.bad_signatures import BAD_SIGNATURES
from tests.adapters.identity.cases.keys import ALGORITHMS, EXPIRED, signer, to_json


@cache
def published() -> PublicKeys:
    """Return the issuer's key set: a key for each algorithm, and all unusable ones."""
    usable = [signer(alg).jwk for alg in ALGORITHMS]
    unusable = [key.published(name) for name, key in UNUSABLE_KEYS.items()]
    return parse_key_set(to_json({"keys": usable + unusable}))


def _with_payload(payload: bytes) -> str:
    return signer("ES256").seal(b'{"alg":"ES256","kid":"ES256"}', payload)


def _with_header(header: bytes) -> str:
    return signer("ES256").seal(header, to_json(EXPIRED))


def _with_key(name: str, key: UnusableKey) -> str:
    return key.token(name)


BAD_TOKENS: Mapping[str, Callable[[], str]] = {
    **{name: partial(_with_payload, payload) for name, payload in BAD_PAYLOADS.items()},
    **{
        name: partial(_with_header, header)
        for name, header in {**BAD_HEADERS, **UNKNOWN_KIDS}.items()
    },
    **{f"key: {name}": partial(_with_key, name, key) for name, key in UNUSABLE_KEYS.items()},
    **{f"signature: {name}": make for name, make in BAD_SIGNATURES.items()},
    **{f"text: {name}": make for name, make in {**BAD_SHAPES, **NESTED}.items()},
}
