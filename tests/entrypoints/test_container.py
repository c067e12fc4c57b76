from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.identity.api_secrets import ApiSecretsAuthenticator
from adapters.identity.claims import ClaimRules
from adapters.identity.delegated import DelegatedAuthenticator
from adapters.identity.signed_tokens import SignedTokenAuthenticator
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from adapters.livekit.api_key import ApiKey
from adapters.livekit.room_gateway import LiveKitRoomGateway
from adapters.not_configured.room_gateway import NotConfiguredRoomGateway
from adapters.rates.shared import SharedRateLimiter
from domain.rate import Rate
from entrypoints.container import Container
from entrypoints.settings.rooms import GatewayKind
from entrypoints.settings.settings import load_settings
from tests.entrypoints.conftest import write_key
from tests.entrypoints.settings.test_settings import LIVEKIT


def container(
    variables: Mapping[str, str] | None = None, *, gateway: GatewayKind = "livekit"
) -> Container:
    return Container(settings=load_settings(variables or {}, gateway=gateway))


@pytest.fixture
def sources(public_key: str, signing_key: str) -> Mapping[str, Mapping[str, str]]:
    """The settings of each source of identity."""
    return {
        "secret": {"AUTH_API_SECRET": "s3cret"},
        "key_file": {"AUTH_JWT_PUBLIC_KEY_PATH": public_key},
        "key_url": {"AUTH_JWKS_URL": "http://127.0.0.1:9/"},
        "service": {
            "AUTH_SERVICE_URL": "http://127.0.0.1:9/",
            "AUTH_SIGNING_KEY_PATH": signing_key,
        },
    }


class TestContainer:
    @pytest.mark.parametrize(
        ("kind", "variables", "expected"),
        [
            ("livekit", LIVEKIT, LiveKitRoomGateway),
            ("livekit", {}, NotConfiguredRoomGateway),
            ("livekit", {**LIVEKIT, "LIVEKIT_URL": ""}, NotConfiguredRoomGateway),
            ("in-memory", {}, InMemoryRoomGateway),
            ("in-memory", LIVEKIT, InMemoryRoomGateway),
        ],
    )
    async def test_opens_the_gateway_that_the_settings_ask_for(
        self, kind: GatewayKind, variables: Mapping[str, str], expected: type
    ) -> None:
        async with container(variables, gateway=kind).open_gateway() as gateway:
            assert type(gateway) is expected

    async def test_passes_the_settings_to_livekit(self) -> None:
        limits = {
            "LIVEKIT_MAX_CONNECTIONS": "7",
            "LIVEKIT_MAX_ROOMS_PER_READ": "8",
            "LIVEKIT_PROBE_DELAY_SECONDS": "0.5",
            "LIVEKIT_TOKEN_SECONDS": "60",
        }
        async with container({**LIVEKIT, **limits}).open_gateway() as gateway:
            assert gateway.rooms.max_names == 8
            assert gateway.mutes.probe_delay_s == 0.5
            client = gateway.client
            assert str(client.http.url) == LIVEKIT["LIVEKIT_URL"]
            assert client.http.max_connections == 7
            assert client.tokens.token_life_s == 60
            key = ApiKey(name="key", secret=LIVEKIT["LIVEKIT_API_SECRET"])
            assert client.tokens.api_key() == key

    async def test_names_what_is_missing_of_livekit(self) -> None:
        async with container({**LIVEKIT, "LIVEKIT_URL": ""}).open_gateway() as gateway:
            assert gateway.missing == ("LIVEKIT_URL",)

    @pytest.mark.parametrize(
        "variables", [{}, {"AUTH_API_SECRET": "s3cret", "AUTH_REQUIRED": "false"}]
    )
    async def test_accepts_every_caller_where_authentication_is_off(
        self, variables: Mapping[str, str]
    ) -> None:
        async with container(variables).open_authenticator() as authenticator:
            assert isinstance(authenticator, AnonymousAuthenticator)

    @pytest.mark.parametrize(
        ("chosen", "expected"),
        [
            (["secret"], [ApiSecretsAuthenticator]),
            (["key_file"], [SignedTokenAuthenticator]),
            (["key_url"], [SignedTokenAuthenticator]),
            (["service"], [DelegatedAuthenticator]),
            (
                ["service", "key_url", "secret"],
                [ApiSecretsAuthenticator, SignedTokenAuthenticator, DelegatedAuthenticator],
            ),
        ],
    )
    async def test_orders_the_sources_of_identity(
        self, sources: Mapping[str, Mapping[str, str]], chosen: list[str], expected: list[type]
    ) -> None:
        made = container({name: value for one in chosen for name, value in sources[one].items()})
        async with made.open_authenticator() as authenticator:
            assert [type(source) for source in authenticator.sources.values()] == expected

    async def test_passes_the_settings_to_the_sources_of_identity(
        self, sources: Mapping[str, Mapping[str, str]]
    ) -> None:
        made = container(
            {
                **sources["key_file"],
                **sources["service"],
                "AUTH_JWT_ISSUER": "issuer",
                "AUTH_TIMEOUT_SECONDS": "2.5",
                "AUTH_ALLOW_NO_ID": "true",
                "MAX_IN_FLIGHT": "7",
                "MAX_IN_FLIGHT_PER_TENANT": "3",
            }
        )
        async with made.open_authenticator() as authenticator:
            tokens, service = authenticator.sources.values()
            assert tokens.rules == ClaimRules(issuer="issuer", allow_no_id=True)
            assert str(service.client.url) == sources["service"]["AUTH_SERVICE_URL"]
            assert (service.timeout_s, service.allow_no_id) == (2.5, True)
            assert service.client.max_connections == 10  # one for each request in flight

    async def test_shares_rates_where_the_settings_name_a_redis(self) -> None:
        made = container(
            {"RATE_LIMIT_PER_TENANT": "3/second", "RATE_LIMIT_STORAGE_URL": "redis://127.0.0.1:1"}
        )
        async with made.open_rate_limiter() as limiter:
            assert isinstance(limiter, SharedRateLimiter)
            assert limiter.rate == Rate(quota=3, window_s=1)
            assert await limiter.hit("tenant-a") == 0  # nothing is there: it passes

    async def test_bounds_fetches_of_keys_by_the_timeout_of_authentication(
        self, sources: Mapping[str, Mapping[str, str]]
    ) -> None:
        made = container({**sources["key_url"], "AUTH_TIMEOUT_SECONDS": "2.5"})
        async with made.open_keys() as keys:
            assert keys.policy.timeout_s == 2.5

    async def test_shows_adapters_what_a_reload_changes(
        self, sources: Mapping[str, Mapping[str, str]], tmp_path: Path
    ) -> None:
        variables = {**LIVEKIT, **sources["key_file"], **sources["service"]}
        made = container({**variables, "AUTH_API_SECRET": "old"})
        async with made.open_authenticator() as chain, made.open_gateway() as gateway:
            secrets, tokens, service = chain.sources.values()
            before = (tokens.keys.keys(), service.signing_key())
            for name in ("AUTH_SIGNING_KEY_PATH", "AUTH_JWT_PUBLIC_KEY_PATH"):
                variables[name] = write_key(tmp_path / name, private="SIGNING" in name)
            variables |= {"LIVEKIT_API_SECRET": "another", "AUTH_API_SECRET": "new"}
            made.settings.override(load_settings(variables))
            assert secrets.secrets().tenants == {"new": "default"}
            assert tokens.keys.keys() is not before[0]
            assert service.signing_key() is not before[1]
            assert gateway.client.tokens.api_key().secret == "another"

    async def test_bounds_access_by_livekits_timeout(self) -> None:
        made = container({"LIVEKIT_TIMEOUT_SECONDS": "2.5"})
        async with made.open_gateway() as gateway:
            access = made.room_access(gateway=gateway)
        assert (access.gateway, access.timeout_s) == (gateway, 2.5)

    @pytest.mark.parametrize("keys", ["key_file", "key_url"])
    async def test_builds_every_provider(
        self, sources: Mapping[str, Mapping[str, str]], keys: str
    ) -> None:
        made = container({**sources["secret"], **sources[keys], **sources["service"]})
        for name, provider in made.providers.items():
            assert provider(**({"gateway": None} if name == "room_access" else {})) is not None
