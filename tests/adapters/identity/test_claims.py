from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve

from adapters.identity.claims import ClaimRules
from application.ports.authenticator import CredentialRefusedError
from domain.caller import AnonymousCaller, Caller, IdentifiedCaller, TenantId
from tests.adapters.identity.cases.bad_claims import BAD_PAYLOADS
from tests.adapters.identity.cases.keys import AUDIENCE, CLAIMS, ISSUER, NOW, to_json

pytestmark = pytest.mark.robustness("tokens")

RULES = ClaimRules(issuer=ISSUER, audience=AUDIENCE)
DEMO = IdentifiedCaller(id=TenantId("demo"))
WITHOUT_AN_ID = {"sub is missing", "sub is in capitals as a name"}


def payload(**claims: object) -> bytes:
    """Encode valid claims with changes; ``None`` removes one."""
    changed = {**CLAIMS, **claims}
    return to_json({name: claim for name, claim in changed.items() if claim is not None})


def caller_of(encoded: bytes, rules: ClaimRules = RULES, *, now: float = NOW) -> Caller | None:
    """Return the caller, or ``None`` if the claims are refused."""
    try:
        return rules.caller(encoded, now=now)
    except CredentialRefusedError:
        return None


def reason_of(encoded: bytes) -> str:
    with pytest.raises(CredentialRefusedError) as refused:
        RULES.caller(encoded, now=NOW)
    return refused.value.reason


class TestTimes:
    @pytest.mark.parametrize(
        "claims",
        [
            {"exp": NOW - 29},
            {"exp": NOW - 29.5},
            {"exp": 253_402_300_799},
            {"exp": float(NOW + 1)},
            {"nbf": NOW + 30},
            {"nbf": 0},
            {"nbf": None},
            {"iat": NOW + 30},
            {"iat": 0.5},
            {"iat": None},
            {"nbf": None, "iat": None},
        ],
        ids=str,
    )
    def test_may_differ_by_the_leeway(self, claims: Mapping[str, Any]) -> None:
        assert caller_of(payload(**claims)) == DEMO

    @pytest.mark.parametrize(
        ("claims", "caller"),
        [
            ({"exp": NOW}, None),
            ({"exp": NOW + 0.5}, DEMO),
            ({"nbf": NOW}, DEMO),
            ({"nbf": NOW + 0.5}, None),
            ({"iat": NOW}, DEMO),
            ({"iat": NOW + 0.5}, None),
        ],
        ids=str,
    )
    def test_are_exact_without_leeway(
        self, claims: Mapping[str, Any], caller: Caller | None
    ) -> None:
        assert caller_of(payload(**claims), evolve(RULES, leeway_s=0)) == caller

    def test_are_compared_with_the_clock(self) -> None:
        callers = [caller_of(payload(), now=NOW + late) for late in (-90.5, -90, 629.5, 630)]
        assert callers == [None, DEMO, DEMO, None]


class TestParties:
    @pytest.mark.parametrize("audience", [[AUDIENCE], ["other", AUDIENCE], [AUDIENCE, AUDIENCE]])
    def test_may_include_others(self, audience: list[str]) -> None:
        assert caller_of(payload(aud=audience)) == DEMO

    @pytest.mark.parametrize(
        "claims",
        [{"iss": None, "aud": None}, {"iss": "x", "aud": "x"}, {"iss": "", "aud": ["x"]}],
        ids=str,
    )
    def test_are_ignored_when_none_is_configured(self, claims: Mapping[str, Any]) -> None:
        assert caller_of(payload(**claims), ClaimRules()) == DEMO

    @pytest.mark.parametrize("audience", [1, {}, [1], ["x", None]], ids=str)
    def test_must_be_well_formed_even_when_none_is_configured(self, audience: object) -> None:
        assert caller_of(payload(aud=audience), ClaimRules()) is None

    def test_are_checked_independently(self) -> None:
        either = [ClaimRules(issuer=ISSUER), ClaimRules(audience=AUDIENCE)]
        from_another = [caller_of(payload(iss="x"), rules) for rules in either]
        for_another = [caller_of(payload(aud="x"), rules) for rules in either]
        assert from_another == [None, DEMO]
        assert for_another == [DEMO, None]


class TestIdClaim:
    @pytest.mark.parametrize(
        "found", ["x", "x" * 128, "Tenant A", "m\u00fcller", "\u4e2d\u6587", "\U0001f511", "0", "'"]
    )
    def test_names_the_tenant(self, found: str) -> None:
        assert caller_of(payload(sub=found)) == IdentifiedCaller(id=TenantId(found))

    def test_is_configurable(self) -> None:
        encoded = payload(sub="other", **{"https://s3cret.example/tenant": "demo"})
        rules = evolve(RULES, id_claim="https://s3cret.example/tenant")
        assert caller_of(encoded, rules) == DEMO

    def test_does_not_fall_back_to_sub(self) -> None:
        assert caller_of(payload(), evolve(RULES, id_claim="tenant")) is None

    def test_may_be_missing_when_allowed(self) -> None:
        rules = evolve(RULES, allow_no_id=True)
        assert caller_of(payload(), rules) == DEMO
        assert {caller_of(BAD_PAYLOADS[name], rules) for name in WITHOUT_AN_ID} == {
            AnonymousCaller()
        }

    @pytest.mark.parametrize(
        ("claims", "caller"),
        [
            ({"tenant": "demo", "sub": None}, DEMO),
            ({"sub": "other"}, AnonymousCaller()),
            ({"tenant": "", "sub": "other"}, None),
            ({"tenant": 0, "sub": None}, None),
        ],
        ids=str,
    )
    def test_may_be_missing_whatever_other_claims_contain(
        self, claims: Mapping[str, Any], caller: Caller | None
    ) -> None:
        rules = evolve(RULES, id_claim="tenant", allow_no_id=True)
        assert caller_of(payload(**claims), rules) == caller

    def test_is_all_that_may_be_missing(self) -> None:
        rules = evolve(RULES, allow_no_id=True)
        bad = {name: one for name, one in BAD_PAYLOADS.items() if name not in WITHOUT_AN_ID}
        accepted = [name for name, encoded in bad.items() if caller_of(encoded, rules) is not None]
        assert accepted == []


class TestOtherClaims:
    def test_are_ignored(self) -> None:
        assert caller_of(payload(scope="x", nested={"a": [1, [], "\u00e9"]}, b64=False)) == DEMO

    @pytest.mark.parametrize(("depth", "caller"), [(63, DEMO), (64, None)])
    def test_may_be_nested_64_deep(self, depth: int, caller: Caller | None) -> None:
        deep = payload()[:-1] + b',"x":' + b"[" * depth + b"]" * depth + b"}"
        assert caller_of(deep) == caller


class TestRefusals:
    @pytest.mark.parametrize(
        ("claims", "reason"),
        [
            ({"exp": None}, "exp is missing"),
            ({"exp": "1"}, "exp is not a number"),
            ({"nbf": -1}, "nbf is out of range"),
            ({"exp": NOW - 30}, "expired"),
            ({"iat": NOW + 31}, "not valid yet"),
            ({"iss": "another"}, "wrong issuer"),
            ({"aud": [1]}, "aud is malformed"),
            ({"aud": "another"}, "wrong audience"),
            ({"sub": " "}, "id claim is not a valid tenant id"),
        ],
        ids=str,
    )
    def test_state_their_reason(self, claims: Mapping[str, Any], reason: str) -> None:
        assert reason_of(payload(**claims)) == reason

    def test_are_not_for_the_issuer_where_the_payload_or_a_date_is_malformed(self) -> None:
        reasons = {name: reason_of(encoded) for name, encoded in BAD_PAYLOADS.items()}
        from_another = {name for name, reason in reasons.items() if reason == "wrong issuer"}
        assert from_another == {name for name in BAD_PAYLOADS if name.startswith("iss ")}

    def test_state_what_is_wrong_with_the_payload(self) -> None:
        assert reason_of(b"[]") == "payload is not a JSON object"
