"""Every token that lets nobody in, by what is wrong with it; nothing else is wrong with it."""

from collections.abc import Callable, Mapping
from functools import cache, partial

from adapters.identity.public_keys import PublicKeys, parse_key_set
from tests.adapters.identity.bad_claims import BAD_PAYLOADS
from tests.adapters.identity.bad_headers import BAD_HEADERS, UNKNOWN_KIDS
from tests.adapters.identity.bad_keys import USELESS_KEYS, UselessKey
from tests.adapters.identity.bad_shapes import BAD_SHAPES, NESTED
from tests.adapters.identity.bad_signatures import BAD_SIGNATURES
from tests.adapters.identity.keys import ALGORITHMS, CLAIMS, signer, to_json


@cache
def published() -> PublicKeys:
    """Give the issuer's key set: one key for each algorithm, and all that are of no use."""
    useful = [signer(alg).jwk for alg in ALGORITHMS]
    useless = [key.published(name) for name, key in USELESS_KEYS.items()]
    return parse_key_set(to_json({"keys": useful + useless}))


def _with_payload(payload: bytes) -> str:
    return signer("ES256").seal(b'{"alg":"ES256","kid":"ES256"}', payload)


def _with_header(header: bytes) -> str:
    return signer("ES256").seal(header, to_json(CLAIMS))


def _with_key(name: str, key: UselessKey) -> str:
    return key.token(name)


BAD_TOKENS: Mapping[str, Callable[[], str]] = {
    **{name: partial(_with_payload, payload) for name, payload in BAD_PAYLOADS.items()},
    **{
        name: partial(_with_header, header)
        for name, header in {**BAD_HEADERS, **UNKNOWN_KIDS}.items()
    },
    **{f"key: {name}": partial(_with_key, name, key) for name, key in USELESS_KEYS.items()},
    **{f"signature: {name}": make for name, make in BAD_SIGNATURES.items()},
    **{f"text: {name}": make for name, make in {**BAD_SHAPES, **NESTED}.items()},
}
