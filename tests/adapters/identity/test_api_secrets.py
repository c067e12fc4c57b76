import pytest

from adapters.identity.api_secrets import ApiSecrets, ApiSecretsAuthenticator
from application.ports.authenticator import Credential, CredentialUnknownError
from domain.caller import IdentifiedCaller, TenantId
from tests.presented import showing


@pytest.fixture
def authenticator() -> ApiSecretsAuthenticator:
    tenants = {"old": "a", "new": "a", "other": "b"}
    known = ApiSecrets({key: TenantId(value) for key, value in tenants.items()})
    return ApiSecretsAuthenticator(lambda: known)


class TestApiSecrets:
    def test_shows_nothing_in_its_repr(self) -> None:
        assert repr(ApiSecrets({"s3cret": TenantId("a")})) == "ApiSecrets()"

    def test_is_what_its_tenants_are_whatever_its_key(self) -> None:
        one, same = (ApiSecrets({"s3cret": TenantId("a")}) for _ in range(2))
        assert one == same
        assert one != ApiSecrets({"s3cret": TenantId("b")})


class TestApiSecretsAuthenticator:
    @pytest.mark.parametrize(("token", "tenant"), [("old", "a"), ("new", "a"), ("other", "b")])
    async def test_knows_a_tenant_by_each_of_its_secrets(
        self, authenticator: ApiSecretsAuthenticator, token: str, tenant: str
    ) -> None:
        caller = await authenticator.authenticate(showing(token))
        assert caller == IdentifiedCaller(id=TenantId(tenant))

    @pytest.mark.parametrize("token", ["", "o", "oldnew", "OLD", "old ", "\u00f6ld", "a"])
    async def test_knows_no_other_token(
        self, authenticator: ApiSecretsAuthenticator, token: str
    ) -> None:
        with pytest.raises(CredentialUnknownError):
            await authenticator.authenticate(showing(token))

    async def test_refuses_all_where_no_secret_is_known(self) -> None:
        with pytest.raises(CredentialUnknownError):
            await ApiSecretsAuthenticator(lambda: ApiSecrets({})).authenticate(showing(""))

    async def test_passes_on_that_nothing_was_shown(
        self, authenticator: ApiSecretsAuthenticator
    ) -> None:
        def show_nothing() -> Credential:
            raise LookupError

        with pytest.raises(LookupError):
            await authenticator.authenticate(show_nothing)

    def test_keeps_tokens_out_of_reprs(self) -> None:
        assert "s3cret" not in repr(showing("s3cret")())
