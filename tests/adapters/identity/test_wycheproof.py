"""Project Wycheproof's vectors for JWS: what broke other people's libraries.

``wycheproof_jws.json`` is ``testvectors_v1/json_web_signature_test.json`` of
https://github.com/C2SP/wycheproof at commit dac1dd4729fd1f8dd9e1e9f3dce51d783da6c166, under the
Apache License 2.0; changed: without notes and sources, and of each key pair its public half alone.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from attrs import frozen

from adapters.identity.jws import NotAJwsError, parse_jws
from adapters.identity.public_keys import parse_key_set
from tests.adapters.identity.keys import to_json

pytestmark = pytest.mark.campaign("tokens")

NOT_TAKEN: Mapping[str, tuple[int, ...]] = {
    "HMAC": (1, 348, 352, 357, 358, 359, 376, 377),
    "HMAC, and a segment is not base64url": (372, 373),
    "RS384": (264, 265, 266, 267),
    "RS512": (268, 269, 270, 271),
    "PS384": (320, 321, 322, 323, 346, 350),
    "PS512": (325, 326, 327, 328),
    "ES512": (347, 351),
    "an empty payload, which can claim nothing": (259, 272),
}
"""Vectors that are called valid and that we refuse, by why."""


@frozen(kw_only=True)
class Vector:
    key: Mapping[str, object]
    jws: str
    is_valid: bool

    @property
    def is_taken(self) -> bool:
        try:
            token = parse_jws(self.jws)
        except NotAJwsError:
            return False
        return parse_key_set(to_json({"keys": [self.key]})).have_signed(token)


@cache
def vectors() -> Mapping[int, Vector]:
    groups = json.loads(Path(__file__).with_name("wycheproof_jws.json").read_text())["testGroups"]
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
    def test_is_all_there(self) -> None:
        assert len(vectors()) == 401
        assert sum(vector.is_valid for vector in vectors().values()) == 46

    @pytest.mark.parametrize(
        "number", [n for n, vector in vectors().items() if not vector.is_valid]
    )
    def test_lets_no_invalid_vector_in(self, number: int) -> None:
        assert not vectors()[number].is_taken

    def test_lets_the_valid_vectors_in_but_for_those_that_are_listed(self) -> None:
        refused = {n for n, vector in vectors().items() if vector.is_valid and not vector.is_taken}
        assert refused == {number for numbers in NOT_TAKEN.values() for number in numbers}
