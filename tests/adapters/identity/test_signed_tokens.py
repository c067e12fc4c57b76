import asyncio
from collections.abc import Callable, Mapping
from contextlib import nullcontext

import pytest
from jwt.utils import base64url_decode, base64url_encode
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
    CredentialRefusedError,
    CredentialUnknownError,
    Identity,
)
from domain.caller import IdentifiedCaller, TenantId
from tests.adapters.identity.cases.bad_claims import BAD_PAYLOADS
from tests.adapters.identity.cases.bad_shapes import NESTED
from tests.adapters.identity.cases.bad_tokens import BAD_TOKENS, published
from tests.adapters.identity.cases.keys import (
    ALGORITHMS,
    AUDIENCE,
    CLAIMS,
    ISSUER,
    NOW,
    signer,
    to_json,
)
from tests.support.movable_clock import advance_clock
from tests.support.presented_request import StaticRequest

pytestmark = pytest.mark.robustness("tokens")

DEMO = IdentifiedCaller(id=TenantId("tenant-a"))


def demo(kid: str) -> Identity:
    return Identity(caller=DEMO, source="signed-tokens", credential=kid)


OTHER_HEADER_MEMBERS: tuple[Mapping[str, object], ...] = (
    {"zip": "DEF"},
    {"zip": None},
    {"enc": "A256GCM"},
    {"cty": "JWT"},
    {"b64": True},
    {"url": "https://s3cret.example", "nonce": "s3cret"},
    {"iss": "another", "sub": "another", "exp": 1, "aud": []},
    {"tid": 7, "v": None, "ext": {"crit": ["exp"]}, "CRIT": ["exp"]},
    {"https://s3cret.example/version": [1]},
)


def authenticator(keys: Callable[[], PublicKeys] = published) -> SignedTokenAuthenticator:
    rules = ClaimRules(issuer=ISSUER, audience=AUDIENCE)
    return SignedTokenAuthenticator(keys=KeyFile(keys), rules=rules, clock=lambda: NOW)


class TestGoodTokens:
    @pytest.mark.parametrize("alg", ALGORITHMS)
    async def test_are_accepted(self, alg: str) -> None:
        token = signer(alg).sign(CLAIMS)
        assert await authenticator().authenticate(StaticRequest(token=token)) == demo(alg)

    @pytest.mark.parametrize("alg", ALGORITHMS)
    async def test_are_accepted_when_built_like_the_bad_ones(self, alg: str) -> None:
        token = signer(alg).seal(to_json({"alg": alg, "kid": alg}), to_json(CLAIMS))
        assert await authenticator().authenticate(StaticRequest(token=token)) == demo(alg)

    @pytest.mark.parametrize("alg", ALGORITHMS)
    async def test_may_have_no_kid(self, alg: str) -> None:
        token = signer(alg).seal(to_json({"alg": alg}), to_json(CLAIMS))
        assert await authenticator().authenticate(StaticRequest(token=token)) == demo(alg)

    @pytest.mark.parametrize("alg", ALGORITHMS)
    async def test_are_accepted_with_a_key_in_pem(self, alg: str) -> None:
        keys, token = parse_public_keys(signer(alg).pem), signer(alg).sign(CLAIMS)
        assert await authenticator(lambda: keys).authenticate(StaticRequest(token=token)) == demo(
            "#1"
        )

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
    async def test_may_contain_or_point_to_keys_that_are_ignored(
        self, header: Mapping[str, object]
    ) -> None:
        named = to_json({"alg": "ES256", "kid": "ES256", **header})
        token = signer("ES256").seal(named, to_json(CLAIMS))
        assert await authenticator().authenticate(StaticRequest(token=token)) == demo("ES256")

    async def test_may_have_other_header_members(self) -> None:
        """Unless ``crit`` names them, they do not change how a token is verified (RFC 7515, 4)."""
        wrong = {}
        for member in OTHER_HEADER_MEMBERS:
            header = to_json({"alg": "ES256", "kid": "ES256", **member})
            token = signer("ES256").seal(header, to_json(CLAIMS))
            error = await error_of(token)
            if error is not None:
                wrong[str(member)] = error.reason
        assert wrong == {}

    async def test_may_contain_the_key_of_an_attacker(self) -> None:
        token = signer("ES256").sign(CLAIMS, jwk=signer("ES256", "attacker").jwk)
        assert await authenticator().authenticate(StaticRequest(token=token)) == demo("ES256")

    @pytest.mark.parametrize(
        "typ", ["JWT", "jwt", "Jwt", "at+jwt", "AT+JWT", "application/jwt", "Application/at+JWT"]
    )
    async def test_may_have_either_typ(self, typ: str) -> None:
        token = signer("ES256").sign(CLAIMS, typ=typ)
        assert await authenticator().authenticate(StaticRequest(token=token)) == demo("ES256")


async def error_of(token: str) -> CredentialRefusedError | None:
    try:
        await authenticator().authenticate(StaticRequest(token=token))
    except CredentialRefusedError as error:
        return error
    return None


class TestBadTokens:
    async def test_are_refused_without_quoting_them(self) -> None:
        """Most of them before their claims are read, which are expired."""
        assert len(BAD_TOKENS) > 400
        wrong = {}
        for name, make in BAD_TOKENS.items():
            error = await error_of(make())
            read = name in BAD_PAYLOADS or name.removeprefix("text: ") in NESTED
            expected = (CredentialRefusedError, "signed-tokens"), (CredentialUnknownError, "")
            if (
                error is None
                or (type(error), error.source) != expected[not read]
                or "s3cret" in f"{error} {error.reason} {error.credential}"
            ):
                wrong[name] = error
        assert wrong == {}

    async def test_with_a_signature_that_lacks_a_zero_in_front_are_refused(self) -> None:
        tokens = (signer("PS256").sign(CLAIMS) for _ in range(20_000))  # one in 256 has a zero
        token = next(each for each in tokens if base64url_decode(each.split(".")[2])[0] == 0)
        assert await error_of(token) is None
        text, _, signature = token.rpartition(".")
        cut = base64url_encode(base64url_decode(signature)[1:]).decode()
        assert isinstance(await error_of(f"{text}.{cut}"), CredentialUnknownError)

    async def test_are_told_by_their_key_if_one_verifies_them(self) -> None:
        expired = await error_of(signer("ES256").sign({**CLAIMS, "exp": NOW - 3600}))
        assert expired is not None
        assert (expired.source, expired.credential) == ("signed-tokens", "ES256")


class HangingKeySource(KeySource):
    @override
    async def verify(self, token: Jws) -> str:
        await asyncio.Event().wait()
        return "key"

    @override
    async def verify_ready(self) -> None:
        """Return at once."""


class TestSignedTokenAuthenticator:
    async def test_does_not_know_what_another_key_has_signed(self) -> None:
        error = await error_of(signer("ES256", "attacker").sign(CLAIMS))
        assert type(error) is CredentialUnknownError
        assert error.reason == "unknown signing key or bad signature"

    async def test_does_not_know_what_is_not_a_signed_token(self) -> None:
        for text in ("an-api-secret", "a.b.c", ""):
            error = await error_of(text)
            assert type(error) is CredentialUnknownError
            assert error.reason.startswith("not a signed token: ")

    async def test_refuses_what_the_issuer_has_signed_with_invalid_claims(self) -> None:
        for name in ("exp is long past", "aud is another", "sub is null"):
            assert type(await error_of(BAD_TOKENS[name]())) is CredentialRefusedError

    async def test_looks_at_the_current_keys(self) -> None:
        keys = [parse_public_keys(signer("RS256").pem)]
        known = authenticator(lambda: keys[-1])
        request = StaticRequest(token=signer("ES256").sign(CLAIMS))
        with pytest.raises(CredentialUnknownError):
            await known.authenticate(request)
        keys.append(parse_public_keys(signer("ES256").pem))
        assert await known.authenticate(request) == demo("#1")

    async def test_passes_on_that_there_is_no_token(self) -> None:
        with pytest.raises(LookupError):
            await authenticator().authenticate(StaticRequest(token=LookupError()))

    @pytest.mark.parametrize("left_s", [-1.0, 0.0, 60.0])
    async def test_waits_for_keys_until_the_deadline_of_the_request(self, left_s: float) -> None:
        known = SignedTokenAuthenticator(keys=HangingKeySource(), rules=ClaimRules())
        request = StaticRequest(token=signer("ES256").sign(CLAIMS), timeout_s=left_s)
        waiting = asyncio.create_task(known.authenticate(request))
        await asyncio.sleep(0)
        advance_clock(max(left_s, 0))
        with pytest.raises(AuthenticatorUnavailableError):
            await waiting


class TestOpenSignedTokens:
    @pytest.mark.parametrize(
        ("claims", "is_accepted"),
        [
            ({"iat": 1_700_000_000, "exp": 253_402_300_799}, True),
            ({"iat": 1, "exp": 1_700_000_000}, False),
            ({"iss": "another", "exp": 253_402_300_799}, False),
        ],
        ids=str,
    )
    async def test_applies_the_current_time_and_the_rules(
        self, claims: Mapping[str, object], is_accepted: bool
    ) -> None:
        said = {"iss": ISSUER, "sub": "tenant-a", **claims}
        expected = nullcontext() if is_accepted else pytest.raises(CredentialRefusedError)
        keys = nullcontext(KeyFile(published))
        async with open_signed_tokens(keys, rules=ClaimRules(issuer=ISSUER)) as known:
            with expected:
                assert await known.authenticate(
                    StaticRequest(token=signer("ES256").sign(said))
                ) == demo("ES256")
