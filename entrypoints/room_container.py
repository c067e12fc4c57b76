"""Which class fills the port to the rooms, and what use cases need of it.

Apart from ``entrypoints.container``, so that a command does not load the sources of identity.
"""

from contextlib import nullcontext
from operator import attrgetter, methodcaller
from typing import Any

from dependency_injector import containers, providers

from adapters.http_client.telemetry import Telemetry, TelemetryOf, no_telemetry
from adapters.in_memory.demo import DEMO, demo_room_gateway
from adapters.livekit.room_gateway import open_gateway
from adapters.not_configured.room_gateway import NotConfiguredRoomGateway
from application.room_access import RoomAccess
from entrypoints.settings.rooms import RoomSettings


def _gateway_choice(settings: RoomSettings) -> str:
    if settings.gateway == "livekit" and settings.livekit.missing:
        return "not_configured"
    return settings.gateway.replace("-", "_")


def current(path: str, settings: providers.Provider[Any]) -> providers.Provider[object]:
    """Provide a function that reads a setting at each call, and so sees what a reload changed."""
    return providers.Callable(attrgetter(path), settings).provider


def telemetry_of(server: str, telemetry: providers.Provider[Any]) -> providers.Provider[Telemetry]:
    """Provide the telemetry of a server."""
    return providers.Callable(methodcaller("__call__", server), telemetry)


class RoomContainer(containers.DeclarativeContainer):
    """The gateway and the access to it, composed from settings; every provider is synchronous."""

    settings = providers.Dependency(instance_of=RoomSettings)
    telemetry: providers.Dependency[TelemetryOf] = providers.Dependency(default=no_telemetry)

    open_gateway = providers.Selector(
        providers.Callable(_gateway_choice, settings),
        livekit=providers.Factory(
            open_gateway,
            url=settings.provided.livekit.url,
            api_key=current("livekit.api_key", settings),
            limits=settings.provided.livekit.limits,
            telemetry=telemetry_of("livekit", telemetry),
        ),
        in_memory=providers.Factory(nullcontext, providers.Factory(demo_room_gateway)),
        not_configured=providers.Factory(
            nullcontext,
            providers.Factory(NotConfiguredRoomGateway, missing=settings.provided.livekit.missing),
        ),
    )

    room_access = providers.Factory(RoomAccess, timeout_s=settings.provided.livekit.timeout_s)

    demo = providers.Object(DEMO)
