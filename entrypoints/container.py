"""Which class fills which port: factories and values, nothing that has to be closed."""

from contextlib import nullcontext

from dependency_injector import containers, providers

from adapters.identity.api_secrets import ApiSecretsAuthenticator
from adapters.identity.nobody import NobodyAuthenticator
from adapters.in_memory.demo import DEMO, demo_room_gateway
from adapters.livekit.room_gateway import open_gateway
from adapters.not_configured.room_gateway import NotConfiguredRoomGateway
from application.mute_track import MuteTrack
from entrypoints.settings import Settings


def _gateway_choice(settings: Settings) -> str:
    if settings.gateway == "livekit" and settings.livekit.missing:
        return "not_configured"
    return settings.gateway.replace("-", "_")


def _max_connections(settings: Settings) -> int:
    """Each request in flight may hold a mute and, beside it, a look for the participant."""
    return 2 * settings.limits.max_in_flight


def _authenticator_choice(settings: Settings) -> str:
    return "api_secrets" if settings.auth.required else "nobody"


class Container(containers.DeclarativeContainer):
    """The program put together from its settings; synchronous all through."""

    settings = providers.Dependency(instance_of=Settings)

    open_gateway = providers.Selector(
        providers.Callable(_gateway_choice, settings),
        livekit=providers.Factory(
            open_gateway,
            url=settings.provided.livekit.url,
            api_key=settings.provided.livekit.api_key,
            api_secret=settings.provided.livekit.api_secret,
            timeout_s=settings.provided.livekit.timeout_s,
            max_connections=providers.Callable(_max_connections, settings),
        ),
        in_memory=providers.Factory(nullcontext, providers.Factory(demo_room_gateway)),
        not_configured=providers.Factory(
            nullcontext,
            providers.Factory(NotConfiguredRoomGateway, missing=settings.provided.livekit.missing),
        ),
    )

    authenticator = providers.Selector(
        providers.Callable(_authenticator_choice, settings),
        api_secrets=providers.Factory(ApiSecretsAuthenticator, settings.provided.auth.tenants),
        nobody=providers.Factory(NobodyAuthenticator),
    )

    mute_track = providers.Factory(MuteTrack, deadline_s=settings.provided.livekit.timeout_s)

    demo = providers.Object(DEMO)
