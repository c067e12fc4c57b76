"""Which class fills which port: factories and values, nothing that has to be closed.

What a reload can change reaches the adapters as a function, which they call at each use.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from dependency_injector import containers, providers

from adapters.http_client.telemetry import TelemetryOf
from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.identity.api_secrets import ApiSecretsAuthenticator
from adapters.identity.chain import open_chain
from adapters.identity.delegated import open_delegated
from adapters.identity.key_server import RefreshPolicy, open_key_server
from adapters.identity.signed_tokens import KeyFile, open_signed_tokens
from application.ports.authenticator import Authenticator
from entrypoints.room_container import RoomContainer, current, no_telemetry, telemetry_of
from entrypoints.settings.settings import Settings

OpenSource = Callable[[], AbstractAsyncContextManager[Authenticator]]


def _authenticator_choice(settings: Settings) -> str:
    return "configured" if settings.auth.required else "anonymous"


def _keys_choice(settings: Settings) -> str:
    return "server" if settings.auth.tokens and settings.auth.tokens.jwks_url else "file"


def _names_of_sources(settings: Settings) -> list[str]:
    """Choose the sources of identity that are configured, in the order in which they are asked."""
    auth = settings.auth
    sources = {
        "api-secrets": auth.api_secrets.tenants,
        "signed-tokens": auth.tokens,
        "authentication-service": auth.service,
    }
    return [name for name, source in sources.items() if source]


def _sources(
    names: list[str], api_secrets: OpenSource, signed_tokens: OpenSource, delegated: OpenSource
) -> list[AbstractAsyncContextManager[Authenticator]]:
    opening = {
        "api-secrets": api_secrets,
        "signed-tokens": signed_tokens,
        "authentication-service": delegated,
    }
    return [opening[name]() for name in names]


class Container(containers.DeclarativeContainer):
    """The program, composed from its settings; every provider is synchronous."""

    settings = providers.Dependency(instance_of=Settings)
    telemetry: providers.Dependency[TelemetryOf] = providers.Dependency(default=no_telemetry)

    rooms = providers.Container(RoomContainer, settings=settings, telemetry=telemetry)
    open_gateway = rooms.open_gateway
    room_access = rooms.room_access
    demo = rooms.demo

    open_api_secrets = providers.Factory(
        nullcontext,
        providers.Factory(ApiSecretsAuthenticator, current("auth.api_secrets", settings)),
    )

    open_keys = providers.Selector(
        providers.Callable(_keys_choice, settings),
        file=providers.Factory(
            nullcontext,
            providers.Factory(KeyFile, current("auth.tokens.public_keys", settings)),
        ),
        server=providers.Factory(
            open_key_server,
            settings.provided.auth.tokens.jwks_url,
            policy=providers.Factory(RefreshPolicy, timeout_s=settings.provided.auth.timeout_s),
            telemetry=telemetry_of("key-server", telemetry),
        ),
    )

    open_signed_tokens = providers.Factory(
        open_signed_tokens, open_keys, rules=settings.provided.auth.tokens.rules
    )

    open_delegated = providers.Factory(
        open_delegated,
        url=settings.provided.auth.service.url,
        signing_key=current("auth.service.signing_key", settings),
        timeout_s=settings.provided.auth.timeout_s,
        max_connections=settings.provided.limits.max_in_flight,
        allow_no_id=settings.provided.auth.allow_no_id,
        telemetry=telemetry_of("authentication-service", telemetry),
    )

    open_authenticator = providers.Selector(
        providers.Callable(_authenticator_choice, settings),
        anonymous=providers.Factory(nullcontext, providers.Factory(AnonymousAuthenticator)),
        configured=providers.Factory(
            open_chain,
            providers.Callable(
                _sources,
                providers.Callable(_names_of_sources, settings),
                api_secrets=open_api_secrets.provider,
                signed_tokens=open_signed_tokens.provider,
                delegated=open_delegated.provider,
            ),
            names=providers.Callable(_names_of_sources, settings),
            telemetry=telemetry_of("identity", telemetry),
        ),
    )
