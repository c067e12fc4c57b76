"""Project Wycheproof's test vectors for JWS.

``wycheproof_jws.json`` is ``testvectors_v1/json_web_signature_test.json`` of
https://github.com/C2SP/wycheproof at commit dac1dd4729fd1f8dd9e1e9f3dce51d783da6c166, under the
Apache License 2.0; changed: notes, sources and private keys are removed, and the six invalid
vectors that PyJWT 2.15.1 or joserfc 1.8.0 accepts: keys for another use, and padded base64url
(``cases/bad_keys.py`` and ``bad_shapes.py`` have harmless ones).
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from attrs import frozen

from adapters.identity.jws import InvalidJwsError, parse_jws
from adapters.identity.public_keys import parse_key_set
from tests.adapters.identity.cases.keys import to_json

pytestmark = pytest.mark.robustness("tokens")

NOT_SUPPORTED: Mapping[str, tuple[int, ...]] = {
    "HMAC": (1, 348, 352, 357, 358, 359, 376, 377),
    "HMAC, and a segment is not base64url": (372, 373),
    "RS384": (264, 265, 266, 267),
    "RS512": (268, 269, 270, 271),
    "PS384": (320, 321, 322, 323, 346, 350),
    "PS512": (325, 326, 327, 328),
    "ES512": (347, 351),
    "an empty payload, which has no claims": (259, 272),
}
"""Valid vectors that are refused on purpose, by reason."""


@frozen(kw_only=True)
class Vector:
    key: Mapping[str, object]
    jws: str
    is_valid: bool

    @property
    def is_accepted(self) -> bool:
        try:
            token = parse_jws(self.jws)
        except InvalidJwsError:
            return False
        return bool(parse_key_set(to_json({"keys": [self.key]})).verify(token))


VECTORS = Path(__file__).parent / "cases" / "wycheproof_jws.json"


@cache
def vectors() -> Mapping[int, Vector]:
    groups = json.loads(VECTORS.read_text())["testGroups"]
    return {
        test["tcId"]: Vector(
            key=group["public"] if "public" in group else group["private"],
            jws=test["jws"],
            is_valid=test["result"] == "valid",
        )
        for group in groups
        for test in group["tests"]
    }


class TestWycheproof:
    def test_has_all_vectors_that_are_left(self) -> None:
        assert len(vectors()) == 395
        assert sum(vector.is_valid for vector in vectors().values()) == 46

    def test_has_no_invalid_vector_that_is_accepted(self) -> None:
        invalid = {number: vector for number, vector in vectors().items() if not vector.is_valid}
        assert [number for number, vector in invalid.items() if vector.is_accepted] == []

    def test_has_no_valid_vector_that_is_refused_but_for_those_listed(self) -> None:
        valid = {number: vector for number, vector in vectors().items() if vector.is_valid}
        refused = {number for number, vector in valid.items() if not vector.is_accepted}
        assert refused == {number for numbers in NOT_SUPPORTED.values() for number in numbers}
