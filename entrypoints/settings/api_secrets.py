"""The settings of API secrets."""

from collections.abc import Mapping

from attrs import field, frozen

from adapters.identity.api_secrets import ApiSecrets
from domain import strict_json
from domain.caller import InvalidTenantIdError, TenantId, parse_tenant_id
from entrypoints.settings.environment import Setting, SettingGroup, SettingsError
from entrypoints.settings.parsers import printable

_DEFAULT_TENANT = TenantId("default")


@frozen(kw_only=True)
class ApiSecretSettings:
    """A list of API secrets with their tenants, and one more secret."""

    listed: Mapping[str, TenantId] = field(factory=dict, repr=False)
    secret: str = field(default="", repr=False)
    tenant: TenantId = _DEFAULT_TENANT

    def merge(self) -> ApiSecrets:
        """Add the one secret to the list.

        Raises:
            SettingsError: the list has it under another tenant.
        """
        tenants = dict(self.listed)
        if self.secret and tenants.setdefault(self.secret, self.tenant) != self.tenant:
            raise SettingsError("AUTH_API_SECRET", "AUTH_API_SECRETS_JSON lists it with another id")
        return ApiSecrets(tenants)


def _api_secrets(value: str) -> dict[str, TenantId]:
    try:
        entries = strict_json.loads(value)
    except strict_json.StrictJsonError as error:
        raise ValueError(str(error)) from None
    if not isinstance(entries, list) or not entries:
        raise ValueError('must be a JSON list like [{"id": "tenant-a", "secret": "..."}]')
    tenants: dict[str, TenantId] = {}
    for number, entry in enumerate(entries, start=1):
        try:
            secret, tenant = _api_secret(entry)
        except ValueError as error:
            raise ValueError(f"entry {number}: {error}") from None
        if tenants.setdefault(secret, tenant) != tenant:
            raise ValueError(f"entry {number}: an earlier entry has this secret with another id")
    return tenants


def _api_secret(entry: object) -> tuple[str, TenantId]:
    match entry:
        case {"id": str(tenant), "secret": str(secret)}:
            try:
                return printable(secret), _tenant_id(tenant)
            except ValueError as error:
                raise ValueError(f"id or secret: {error}") from None
        case _:
            raise ValueError('must be an object with the strings "id" and "secret"')


def _tenant_id(value: str) -> TenantId:
    try:
        return parse_tenant_id(value)
    except InvalidTenantIdError as error:
        raise ValueError(str(error)) from None


API_SECRETS = SettingGroup(
    ApiSecretSettings,
    {
        "listed": Setting(
            "AUTH_API_SECRETS_JSON",
            _api_secrets,
            'API secrets and their tenants: `[{"id": "tenant-a", "secret": "..."}]`.'
            " A tenant may have several secrets; a secret belongs to one tenant.",
            file="AUTH_API_SECRETS_FILE",
        ),
        "secret": Setting(
            "AUTH_API_SECRET", printable, "One more API secret.", file="AUTH_API_SECRET_FILE"
        ),
        "tenant": Setting(
            "AUTH_API_SECRET_ID",
            _tenant_id,
            "The tenant of `AUTH_API_SECRET`.",
            needs=("AUTH_API_SECRET", "AUTH_API_SECRET_FILE"),
        ),
    },
)
