import asyncio
from collections.abc import Callable, Mapping
from contextlib import nullcontext

import pytest
from typing_extensions import override

from adapters.identity.claims import ClaimRules
from adapters.identity.jws import Jws
from adapters.identity.public_keys import PublicKeys, parse_public_keys
from adapters.identity.signed_tokens import (
    KeyFile,
    KeySource,
    SignedTokenAuthenticator,
    open_signed_tokens,
)
from application.ports.authenticator import (
    AuthenticatorUnavailableError,
    Credential,
    CredentialRefusedError,
    CredentialUnknownError,
)
from domain.caller import IdentifiedCaller, TenantId
from tests.adapters.identity.bad_tokens import BAD_TOKENS, published
from tests.adapters.identity.keys import ALGORITHMS, AUDIENCE, CLAIMS, ISSUER, NOW, signer, to_json
from tests.presented import Presented, showing

pytestmark = pytest.mark.campaign("tokens")

DEMO = IdentifiedCaller(id=TenantId("demo"))


def authenticator(keys: Callable[[], PublicKeys] = published) -> SignedTokenAuthenticator:
    rules = ClaimRules(issuer=ISSUER, audience=AUDIENCE)
    return SignedTokenAuthenticator(keys=KeyFile(keys), rules=rules, clock=lambda: NOW)


class TestGoodTokens:
    @pytest.mark.parametrize("alg", ALGORITHMS)
    async def test_are_let_in(self, alg: str) -> None:
        token = signer(alg).sign(CLAIMS)
        assert await authenticator().authenticate(showing(token)) == DEMO

    @pytest.mark.parametrize("alg", ALGORITHMS)
    async def test_are_let_in_when_put_together_like_the_bad_ones(self, alg: str) -> None:
        token = signer(alg).seal(to_json({"alg": alg, "kid": alg}), to_json(CLAIMS))
        assert await authenticator().authenticate(showing(token)) == DEMO

    @pytest.mark.parametrize("alg", ALGORITHMS)
    async def test_need_not_name_their_key(self, alg: str) -> None:
        token = signer(alg).seal(to_json({"alg": alg}), to_json(CLAIMS))
        assert await authenticator().authenticate(showing(token)) == DEMO

    @pytest.mark.parametrize("alg", ALGORITHMS)
    async def test_are_let_in_by_a_key_in_pem(self, alg: str) -> None:
        keys, token = parse_public_keys(signer(alg).pem), signer(alg).sign(CLAIMS)
        assert await authenticator(lambda: keys).authenticate(showing(token)) == DEMO

    @pytest.mark.parametrize(
        "header",
        [
            {"jku": "https://s3cret.example/jwks.json"},
            {"x5u": "https://s3cret.example/key.pem"},
            {"jwk": {"kty": "oct", "k": "AAAA"}},
            {"x5c": ["s3cret"], "x5t": "s3cret", "x5t#S256": "s3cret"},
            {"jwk": "s3cret", "jku": None, "x5c": 1, "x5u": []},
        ],
        ids=str,
    )
    async def test_may_bring_or_point_to_keys_that_nobody_looks_at(
        self, header: Mapping[str, object]
    ) -> None:
        named = to_json({"alg": "ES256", "kid": "ES256", **header})
        token = signer("ES256").seal(named, to_json(CLAIMS))
        assert await authenticator().authenticate(showing(token)) == DEMO

    async def test_may_bring_a_strangers_key_along(self) -> None:
        token = signer("ES256").sign(CLAIMS, jwk=signer("ES256", "stranger").jwk)
        assert await authenticator().authenticate(showing(token)) == DEMO

    @pytest.mark.parametrize(
        "typ", ["JWT", "jwt", "Jwt", "at+jwt", "AT+JWT", "application/jwt", "Application/at+JWT"]
    )
    async def test_may_be_of_either_type(self, typ: str) -> None:
        token = signer("ES256").sign(CLAIMS, typ=typ)
        assert await authenticator().authenticate(showing(token)) == DEMO


class TestBadTokens:
    @pytest.mark.parametrize("name", BAD_TOKENS)
    async def test_are_refused(self, name: str) -> None:
        with pytest.raises(CredentialRefusedError) as refused:
            await authenticator().authenticate(showing(BAD_TOKENS[name]()))
        assert "s3cret" not in f"{refused.value} {refused.value.reason}"


class NoKeysYet(KeySource):
    @override
    async def has_signed(self, token: Jws) -> bool:
        await asyncio.Event().wait()
        return True


class TestSignedTokenAuthenticator:
    async def test_does_not_know_what_somebody_else_has_signed(self) -> None:
        token = signer("ES256", "stranger").sign(CLAIMS)
        with pytest.raises(CredentialUnknownError):
            await authenticator().authenticate(showing(token))

    @pytest.mark.parametrize("text", ["an-api-secret", "a.b.c", ""])
    async def test_does_not_know_what_is_no_signed_token(self, text: str) -> None:
        with pytest.raises(CredentialUnknownError):
            await authenticator().authenticate(showing(text))

    @pytest.mark.parametrize("name", ["exp is long past", "aud is another", "sub is null"])
    async def test_knows_what_the_issuer_has_signed_though_it_is_no_good(self, name: str) -> None:
        with pytest.raises(CredentialRefusedError) as refused:
            await authenticator().authenticate(showing(BAD_TOKENS[name]()))
        assert not isinstance(refused.value, CredentialUnknownError)

    async def test_looks_at_the_keys_as_they_stand_now(self) -> None:
        keys = [parse_public_keys(signer("RS256").pem)]
        known, token = authenticator(lambda: keys[-1]), showing(signer("ES256").sign(CLAIMS))
        with pytest.raises(CredentialUnknownError):
            await known.authenticate(token)
        keys.append(parse_public_keys(signer("ES256").pem))
        assert await known.authenticate(token) == DEMO

    async def test_passes_on_that_nothing_was_shown(self) -> None:
        def show_nothing() -> Credential:
            raise LookupError

        with pytest.raises(LookupError):
            await authenticator().authenticate(show_nothing)

    @pytest.mark.parametrize("seconds", [-1.0, 0.01])
    async def test_waits_for_keys_no_longer_than_the_request_may(self, seconds: float) -> None:
        known = SignedTokenAuthenticator(keys=NoKeysYet(), rules=ClaimRules())
        shown = showing(signer("ES256").sign(CLAIMS), Presented(seconds=seconds))
        with pytest.raises(AuthenticatorUnavailableError):
            await known.authenticate(shown)


class TestOpenSignedTokens:
    @pytest.mark.parametrize(
        ("claims", "is_let_in"),
        [
            ({"iat": 1_700_000_000, "exp": 253_402_300_799}, True),
            ({"iat": 1, "exp": 1_700_000_000}, False),
            ({"iss": "another", "exp": 253_402_300_799}, False),
        ],
        ids=str,
    )
    async def test_judges_by_the_time_of_day_and_the_rules(
        self, claims: Mapping[str, object], is_let_in: bool
    ) -> None:
        said = {"iss": ISSUER, "sub": "demo", **claims}
        expected = nullcontext() if is_let_in else pytest.raises(CredentialRefusedError)
        keys = nullcontext(KeyFile(published))
        async with open_signed_tokens(keys, rules=ClaimRules(issuer=ISSUER)) as known:
            with expected:
                assert await known.authenticate(showing(signer("ES256").sign(said))) == DEMO
