import pytest

from adapters.identity.api_secrets import ApiSecrets, ApiSecretsAuthenticator
from application.ports.authenticator import CredentialUnknownError, Identity
from domain.caller import IdentifiedCaller, TenantId
from tests.support.presented_request import StaticRequest


@pytest.fixture
def authenticator() -> ApiSecretsAuthenticator:
    tenants = {"old": "a", "new": "a", "other": "b"}
    known = ApiSecrets(
        {key: TenantId(value) for key, value in tenants.items()},
        names={"old": "of-may", "new": "#2"},
    )
    return ApiSecretsAuthenticator(lambda: known)


class TestApiSecrets:
    def test_hides_secrets_in_its_repr(self) -> None:
        assert repr(ApiSecrets({"s3cret": TenantId("a")}, names={"s3cret": "x"})) == "ApiSecrets()"

    def test_compares_by_its_secrets_and_not_by_its_random_key(self) -> None:
        one, same = (ApiSecrets({"s3cret": TenantId("a")}) for _ in range(2))
        assert one == same
        assert one != ApiSecrets({"s3cret": TenantId("b")})


class TestApiSecretsAuthenticator:
    @pytest.mark.parametrize(
        ("token", "tenant", "name"),
        [("old", "a", "of-may"), ("new", "a", "#2"), ("other", "b", "")],
    )
    async def test_identifies_a_tenant_by_each_of_its_secrets(
        self, authenticator: ApiSecretsAuthenticator, token: str, tenant: str, name: str
    ) -> None:
        assert await authenticator.authenticate(StaticRequest(token=token)) == Identity(
            caller=IdentifiedCaller(id=TenantId(tenant)), source="api-secrets", credential=name
        )

    async def test_knows_no_other_token(self, authenticator: ApiSecretsAuthenticator) -> None:
        for token in ("", "o", "oldnew", "OLD", "old ", "\u00f6ld", "a"):
            with pytest.raises(CredentialUnknownError) as refused:
                await authenticator.authenticate(StaticRequest(token=token))
            assert refused.value.reason == "unknown API secret"

    async def test_accepts_no_token_without_secrets(self) -> None:
        with pytest.raises(CredentialUnknownError):
            await ApiSecretsAuthenticator(lambda: ApiSecrets({})).authenticate(
                StaticRequest(token="")
            )

    async def test_looks_at_the_current_secrets(self) -> None:
        current = [ApiSecrets({"old": TenantId("a")})]
        authenticator = ApiSecretsAuthenticator(lambda: current[-1])
        current.append(ApiSecrets({"new": TenantId("a")}))
        await authenticator.authenticate(StaticRequest(token="new"))
        with pytest.raises(CredentialUnknownError):
            await authenticator.authenticate(StaticRequest(token="old"))

    async def test_passes_on_that_there_is_no_token(
        self, authenticator: ApiSecretsAuthenticator
    ) -> None:
        with pytest.raises(LookupError):
            await authenticator.authenticate(StaticRequest(token=LookupError()))
