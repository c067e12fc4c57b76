from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve

from adapters.identity.claims import ClaimRules
from application.ports.authenticator import CredentialRefusedError
from domain.caller import Caller, IdentifiedCaller, TenantId, UnidentifiedCaller
from tests.adapters.identity.bad_claims import BAD_PAYLOADS
from tests.adapters.identity.keys import AUDIENCE, CLAIMS, ISSUER, NOW, to_json

pytestmark = pytest.mark.campaign("tokens")

RULES = ClaimRules(issuer=ISSUER, audience=AUDIENCE)
DEMO = IdentifiedCaller(id=TenantId("demo"))
WITHOUT_AN_ID = {"sub is missing", "sub is in capitals as a name"}


def claiming(**claims: object) -> bytes:
    """Write good claims with some of them changed, or left out where None."""
    changed = {**CLAIMS, **claims}
    return to_json({name: claim for name, claim in changed.items() if claim is not None})


def judge(payload: bytes, rules: ClaimRules = RULES, *, now: float = NOW) -> Caller | None:
    """Tell who may come in, if anybody."""
    try:
        return rules.caller(payload, now=now)
    except CredentialRefusedError:
        return None


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
    def test_may_be_off_by_the_leeway(self, claims: Mapping[str, Any]) -> None:
        assert judge(claiming(**claims)) == DEMO

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
        assert judge(claiming(**claims), evolve(RULES, leeway_s=0)) == caller

    def test_are_judged_by_the_clock(self) -> None:
        callers = [judge(claiming(), now=NOW + late) for late in (-90.5, -90, 629.5, 630)]
        assert callers == [None, DEMO, DEMO, None]


class TestParties:
    @pytest.mark.parametrize("audience", [[AUDIENCE], ["other", AUDIENCE], [AUDIENCE, AUDIENCE]])
    def test_may_include_others(self, audience: list[str]) -> None:
        assert judge(claiming(aud=audience)) == DEMO

    @pytest.mark.parametrize(
        "claims",
        [{"iss": None, "aud": None}, {"iss": "x", "aud": "x"}, {"iss": "", "aud": ["x"]}],
        ids=str,
    )
    def test_are_nobodys_business_where_none_is_set(self, claims: Mapping[str, Any]) -> None:
        assert judge(claiming(**claims), ClaimRules()) == DEMO

    @pytest.mark.parametrize("audience", [1, {}, [1], ["x", None]], ids=str)
    def test_are_well_formed_even_where_none_is_set(self, audience: object) -> None:
        assert judge(claiming(aud=audience), ClaimRules()) is None

    def test_are_checked_one_without_the_other(self) -> None:
        either = [ClaimRules(issuer=ISSUER), ClaimRules(audience=AUDIENCE)]
        from_another = [judge(claiming(iss="x"), rules) for rules in either]
        for_another = [judge(claiming(aud="x"), rules) for rules in either]
        assert from_another == [None, DEMO]
        assert for_another == [DEMO, None]


class TestIdClaim:
    @pytest.mark.parametrize(
        "found", ["x", "x" * 128, "Tenant A", "m\u00fcller", "\u4e2d\u6587", "\U0001f511", "0", "'"]
    )
    def test_names_the_tenant(self, found: str) -> None:
        assert judge(claiming(sub=found)) == IdentifiedCaller(id=TenantId(found))

    def test_is_the_one_that_is_set(self) -> None:
        payload = claiming(sub="other", **{"https://s3cret.example/tenant": "demo"})
        rules = evolve(RULES, id_claim="https://s3cret.example/tenant")
        assert judge(payload, rules) == DEMO

    def test_is_no_other_where_the_one_that_is_set_is_missing(self) -> None:
        assert judge(claiming(), evolve(RULES, id_claim="tenant")) is None

    def test_may_be_missing_where_that_is_allowed(self) -> None:
        rules = evolve(RULES, allow_no_id=True)
        assert judge(claiming(), rules) == DEMO
        assert {judge(BAD_PAYLOADS[name], rules) for name in WITHOUT_AN_ID} == {
            UnidentifiedCaller()
        }

    @pytest.mark.parametrize(
        ("claims", "caller"),
        [
            ({"tenant": "demo", "sub": None}, DEMO),
            ({"sub": "other"}, UnidentifiedCaller()),
            ({"tenant": "", "sub": "other"}, None),
            ({"tenant": 0, "sub": None}, None),
        ],
        ids=str,
    )
    def test_may_be_missing_whatever_another_claim_says(
        self, claims: Mapping[str, Any], caller: Caller | None
    ) -> None:
        rules = evolve(RULES, id_claim="tenant", allow_no_id=True)
        assert judge(claiming(**claims), rules) == caller

    @pytest.mark.parametrize("name", sorted(BAD_PAYLOADS.keys() - WITHOUT_AN_ID))
    def test_excuses_nothing_else_where_it_may_be_missing(self, name: str) -> None:
        assert judge(BAD_PAYLOADS[name], evolve(RULES, allow_no_id=True)) is None


class TestClaims:
    def test_may_say_more_than_is_asked(self) -> None:
        assert judge(claiming(scope="x", nested={"a": [1, [], "\u00e9"]}, b64=False)) == DEMO

    @pytest.mark.parametrize(("depth", "caller"), [(63, DEMO), (64, None)])
    def test_may_be_nested_64_deep(self, depth: int, caller: Caller | None) -> None:
        deep = claiming()[:-1] + b',"x":' + b"[" * depth + b"]" * depth + b"}"
        assert judge(deep) == caller


class TestRefusals:
    @pytest.mark.parametrize(
        ("claims", "reason"),
        [
            ({"exp": None}, "exp is missing"),
            ({"exp": "1"}, "exp is not a number"),
            ({"nbf": -1}, "nbf is out of range"),
            ({"exp": NOW - 30}, "expired"),
            ({"iat": NOW + 31}, "not valid yet"),
            ({"iss": "another"}, "from another issuer"),
            ({"aud": [1]}, "aud is malformed"),
            ({"aud": "another"}, "for another audience"),
            ({"sub": " "}, "the id claim is no tenant's id"),
        ],
        ids=str,
    )
    def test_say_why(self, claims: Mapping[str, Any], reason: str) -> None:
        with pytest.raises(CredentialRefusedError) as refused:
            RULES.caller(claiming(**claims), now=NOW)
        assert refused.value.reason == reason

    def test_say_what_is_wrong_with_the_whole(self) -> None:
        with pytest.raises(CredentialRefusedError) as refused:
            RULES.caller(b"[]", now=NOW)
        assert refused.value.reason == "the payload is not a JSON object"
