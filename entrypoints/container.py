"""Which class fills which port: factories and values, nothing that has to be closed.

What a reload can change reaches the adapters as a function, which they call at each use.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from dependency_injector import containers, providers

from adapters.http_client.telemetry import TelemetryOf, no_telemetry
from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.identity.api_secrets import ApiSecretsAuthenticator
from adapters.identity.chain import open_chain
from adapters.identity.delegated import open_delegated
from adapters.identity.key_server import RefreshPolicy, open_key_server
from adapters.identity.signed_tokens import KeyFile, open_signed_tokens
from adapters.rates.moving_window import MovingWindow
from adapters.rates.unknown import UnknownRates
from application.ports.authenticator import Authenticator
from application.ports.rate_limiter import RateLimiter
from domain.rate import Rate
from entrypoints.room_container import RoomContainer, current, telemetry_of
from entrypoints.settings.settings import Settings

OpenSource = Callable[[], AbstractAsyncContextManager[Authenticator]]


def _authenticator_choice(settings: Settings) -> str:
    return "configured" if settings.auth.required else "anonymous"


def _keys_choice(settings: Settings) -> str:
    return "server" if settings.auth.tokens and settings.auth.tokens.jwks_url else "file"


def _counting_choice(settings: Settings) -> str:
    return "shared" if settings.rates.storage_url else "alone"


def _open_shared(
    url: str, rate: Rate, unknown: UnknownRates
) -> AbstractAsyncContextManager[RateLimiter]:
    from adapters.rates.shared import open_shared  # noqa: PLC0415 - an extra

    return open_shared(url=url, rate=rate, unknown=unknown)


def _sources(
    settings: Settings, api_secrets: OpenSource, signed_tokens: OpenSource, delegated: OpenSource
) -> dict[str, AbstractAsyncContextManager[Authenticator]]:
    """Take the sources of identity that are configured, in the order in which they are asked."""
    auth, sources = settings.auth, dict[str, AbstractAsyncContextManager[Authenticator]]()
    if auth.api_secrets.tenants:
        sources["api-secrets"] = api_secrets()
    if auth.tokens:
        sources["signed-tokens"] = signed_tokens()
    if auth.service:
        sources["authentication-service"] = delegated()
    return sources


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
        max_connections=settings.provided.limits.max_admitted,
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
                settings,
                api_secrets=open_api_secrets.provider,
                signed_tokens=open_signed_tokens.provider,
                delegated=open_delegated.provider,
            ),
            telemetry=telemetry_of("identity", telemetry),
        ),
    )

    unknown_rates = providers.Singleton(UnknownRates)

    open_rate_limiter = providers.Selector(
        providers.Callable(_counting_choice, settings),
        alone=providers.Factory(
            nullcontext,
            providers.Factory(MovingWindow, rate=settings.provided.rates.per_tenant),
        ),
        shared=providers.Factory(
            _open_shared,
            url=settings.provided.rates.storage_url,
            rate=settings.provided.rates.per_tenant,
            unknown=unknown_rates,
        ),
    )

    failure_limiter = providers.Factory(MovingWindow, rate=settings.provided.auth.failure_rate)
