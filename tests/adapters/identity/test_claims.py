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
DEMO = IdentifiedCaller(id=TenantId("tenant-a"))
WITHOUT_AN_ID = {"sub is missing", "sub is in capitals as a name"}

URL = "https://example.com/tenant"
NESTED_IDS: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("a.b", {"a.b": "tenant-a"}),
    ("a.b", {"a": {"b": "tenant-a"}}),
    ("a.b", {"a.b": "tenant-a", "a": {"b": "other"}}),
    ("a.b.c", {"a": {"b": {"c": "tenant-a"}}}),
    ("a.b.c", {"a.b": {"c": "tenant-a"}}),
    ("a.b.c", {"a": {"b.c": "tenant-a"}}),
    ("a.b.c", {"a": {"b.c": "tenant-a", "b": {"c": "other"}}}),
    ("a.b.c", {"a.b": {"c": "tenant-a"}, "a": {"b.c": "other", "b": {"c": "other"}}}),
    (".a.", {".a.": "tenant-a"}),
    (URL, {URL: "tenant-a"}),
    (URL, {URL: "tenant-a", "https://example": {"com/tenant": "other"}}),
    (f"{URL}.id", {URL: {"id": "tenant-a"}}),
    ("realm.tenant.id", {"realm": {"tenant": {"id": "tenant-a", "name": "x"}}, "id": "other"}),
)
"""Names and claims in which they name the tenant ``demo``."""
OF_EACH_TYPE = {
    "null": b"null",
    "a boolean": b"true",
    "a number": b"1.5",
    "a string": b'"tenant-a"',
    "an array": b'["tenant-a", {"b": "tenant-a"}]',
    "an object": b'{"b": "tenant-a", "c": {}}',
}


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


def reason_of(encoded: bytes, rules: ClaimRules = RULES) -> str | None:
    """Return why the claims are refused, or ``None`` if they are not."""
    try:
        rules.caller(encoded, now=NOW)
    except CredentialRefusedError as refused:
        return refused.reason
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

    @pytest.mark.parametrize(
        ("claims", "reason"),
        [
            ({"client_id": AUDIENCE}, None),
            ({"client_id": AUDIENCE, "aud": None}, None),
            ({"client_id": AUDIENCE, "aud": ["another"]}, None),
            ({"client_id": ["another", AUDIENCE]}, None),
            ({}, "client_id is missing"),
            ({"aud": None}, "client_id is missing"),
            ({"client_id": []}, "client_id is missing"),
            ({"client_id": ""}, "wrong audience"),
            ({"client_id": "another"}, "wrong audience"),
            ({"client_id": f"{AUDIENCE} another"}, "wrong audience"),
            ({"client_id": 1}, "client_id is malformed"),
            ({"client_id": False}, "client_id is malformed"),
            ({"client_id": {AUDIENCE: AUDIENCE}}, "client_id is malformed"),
            ({"client_id": [AUDIENCE, None]}, "client_id is malformed"),
            ({"client_id": AUDIENCE, "aud": 1}, "aud is malformed"),
        ],
        ids=str,
    )
    def test_may_be_named_by_another_claim_than_aud(
        self, claims: Mapping[str, Any], reason: str | None
    ) -> None:
        rules = evolve(RULES, audience_claim="client_id")
        assert reason_of(payload(**claims), rules) == reason

    def test_must_be_named_by_the_claim_that_is_configured(self) -> None:
        """Neither claim stands in for the other, and null is a value that is no name."""
        by_client = evolve(RULES, audience_claim="client_id")
        nulled = payload()[:-1] + b',"client_id":null}'
        assert reason_of(nulled, by_client) == "client_id is malformed"
        assert reason_of(payload(aud=None, client_id=AUDIENCE)) == "aud is missing"
        assert reason_of(payload(aud=None)) == "aud is missing"

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
        encoded = payload(sub="other", **{"https://s3cret.example/tenant": "tenant-a"})
        rules = evolve(RULES, id_claim="https://s3cret.example/tenant")
        assert caller_of(encoded, rules) == DEMO

    def test_may_be_nested(self) -> None:
        wrong = {}
        for name, claims in NESTED_IDS:
            found = caller_of(payload(sub="other", **claims), evolve(RULES, id_claim=name))
            if found != DEMO:
                wrong[name, str(claims)] = found
        assert wrong == {}

    def test_is_not_found_in_anything_but_an_object(self) -> None:
        """It is not missing there either, which could make the caller anonymous."""
        for allow_no_id in (False, True):
            rules = evolve(RULES, id_claim="a.b", allow_no_id=allow_no_id)
            reasons = {
                kind: reason_of(payload()[:-1] + b',"a":' + text + b"}", rules)
                for kind, text in OF_EACH_TYPE.items()
                if kind != "an object"
            }
            assert reasons == {
                kind: f"a claim on the path is {kind}, not an object" for kind in reasons
            }

    def test_must_be_a_string(self) -> None:
        for allow_no_id in (False, True):
            rules = evolve(RULES, id_claim="a.b", allow_no_id=allow_no_id)
            reasons = {
                kind: reason_of(payload()[:-1] + b',"a":{"b":' + text + b"}}", rules)
                for kind, text in OF_EACH_TYPE.items()
                if kind != "a string"
            }
            assert reasons == {kind: f"id claim is {kind}, not a string" for kind in reasons}

    @pytest.mark.parametrize("claims", [{}, {"a": {}}, {"a": {"c": "tenant-a"}}, {"b": "tenant-a"}])
    def test_is_missing_where_its_path_ends(self, claims: Mapping[str, Any]) -> None:
        rules = evolve(RULES, id_claim="a.b")
        assert reason_of(payload(**claims), rules) == "id claim is missing"
        anonymous = evolve(rules, allow_no_id=True)
        assert caller_of(payload(**claims), anonymous) == AnonymousCaller()

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
            ({"tenant": "tenant-a", "sub": None}, DEMO),
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
