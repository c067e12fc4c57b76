"""The settings of API secrets."""

import json
import re

from attrs import evolve, field, frozen

from adapters.identity.api_secrets import ApiSecrets
from domain import strict_json
from domain.caller import InvalidTenantIdError, TenantId, parse_tenant_id
from entrypoints.settings.environment import Setting, SettingGroup, SettingsError
from entrypoints.settings.parsers import printable

_DEFAULT_TENANT = TenantId("default")
_NAME_OF_SECRET = "AUTH_API_SECRET"  # noqa: S105 - the name of the one in this variable
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


@frozen(kw_only=True)
class ApiSecretSettings:
    """A list of API secrets with their tenants, and one more secret."""

    listed: ApiSecrets = field(default=ApiSecrets({}), repr=False)
    secret: str = field(default="", repr=False)
    tenant: TenantId = _DEFAULT_TENANT

    def merge(self) -> ApiSecrets:
        """Add the one secret to the list.

        Raises:
            SettingsError: the list has it under another tenant.
        """
        if not self.secret:
            return self.listed
        if self.listed.tenants.get(self.secret, self.tenant) != self.tenant:
            raise SettingsError("AUTH_API_SECRET", "AUTH_API_SECRETS_JSON lists it with another id")
        return ApiSecrets(
            {self.secret: self.tenant, **self.listed.tenants},
            names={self.secret: _NAME_OF_SECRET, **self.listed.names},
        )


@frozen
class _Entry:
    """An entry of the list; the name is empty if it has none."""

    tenant: TenantId
    secret: str
    name: str


def _api_secrets(value: str) -> ApiSecrets:
    try:
        entries = strict_json.loads(value)
    except strict_json.StrictJsonError as error:
        raise ValueError(f"{error}{_position(value)}") from None
    if not isinstance(entries, list) or not entries:
        raise ValueError('must be a JSON list like [{"id": "tenant-a", "secret": "..."}]')
    known: dict[str, _Entry] = {}
    names: dict[tuple[TenantId, str], str] = {}
    for number, found in enumerate(entries, start=1):
        try:
            entry = _entry(found, place=number)
        except ValueError as error:
            raise ValueError(f"entry {number}: {error}") from None
        if known.setdefault(entry.secret, entry).tenant != entry.tenant:
            raise ValueError(f"entry {number}: an earlier entry has this secret with another id")
        if names.setdefault((entry.tenant, entry.name), entry.secret) != entry.secret:
            raise ValueError(f"entry {number}: an earlier entry with this id has this name")
    return ApiSecrets(
        {secret: entry.tenant for secret, entry in known.items()},
        names={secret: entry.name for secret, entry in known.items()},
    )


def _position(text: str) -> str:
    """Say where a text stops being JSON, if it does."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f" (line {error.lineno}, column {error.colno})"
    except (ValueError, RecursionError):
        pass
    return ""


def _entry(found: object, *, place: int) -> _Entry:
    match found:
        case {"id": str(tenant), "secret": str(secret), **others}:
            try:
                entry = _Entry(_tenant_id(tenant), printable(secret), f"#{place}")
            except ValueError as error:
                raise ValueError(f"id or secret: {error}") from None
            return evolve(entry, name=_name(others["name"], secret)) if "name" in others else entry
        case _:
            raise ValueError('must be an object with the strings "id" and "secret"')


def _name(found: object, secret: str) -> str:
    """Accept a name, which the log shows."""
    if not isinstance(found, str) or not _NAME.fullmatch(found):
        raise ValueError(
            "name: must be 1 to 64 letters, digits, dots, hyphens or underscores,"
            " of which the first is a letter or a digit"
        )
    if found == _NAME_OF_SECRET:
        raise ValueError("name: is what the log calls the secret in the variable of this name")
    if found == secret:
        raise ValueError("name: is the secret itself, and the log would show it")
    return found


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
            " A tenant may have several secrets; a secret belongs to one tenant."
            ' The log calls a secret by the optional `"name"` of its entry, or else by its place.',
            file="AUTH_API_SECRETS_FILE",
            secret=True,
        ),
        "secret": Setting(
            "AUTH_API_SECRET",
            printable,
            "One more API secret.",
            file="AUTH_API_SECRET_FILE",
            secret=True,
        ),
        "tenant": Setting(
            "AUTH_API_SECRET_ID",
            _tenant_id,
            "The tenant of `AUTH_API_SECRET`.",
            needs=("AUTH_API_SECRET", "AUTH_API_SECRET_FILE"),
        ),
    },
)
