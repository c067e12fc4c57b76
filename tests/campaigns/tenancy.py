"""The service between its tenants and a LiveKit double."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, nullcontext

from aiohttp.test_utils import TestServer

from adapters.identity.api_secrets import ApiSecrets, ApiSecretsAuthenticator
from adapters.livekit.api_key import ApiKey
from adapters.livekit.bounds import Bounds
from adapters.livekit.room_gateway import open_gateway
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.caller import tenant_id
from tests.service import Service, running_service

_BOUNDS = Bounds(probe_delay_s=5.0)  # nobody is looked for, however slow the machine


def token_of(tenant: str) -> str:
    return f"secret-of-{tenant.encode().hex()}"


def double_of(rooms: LiveKitRooms) -> LiveKitDouble:
    return LiveKitDouble(
        api_key="devkey", api_secret="a-secret-of-at-least-32-characters", rooms=rooms
    )


@asynccontextmanager
async def serving(double: LiveKitDouble, tenants: Iterable[str]) -> AsyncIterator[Service]:
    """Serve these tenants, each by its token."""
    secrets = ApiSecrets({token_of(tenant): tenant_id(tenant) for tenant in tenants})
    key = ApiKey(name=double.api_key, secret=double.api_secret)
    async with (
        TestServer(double.app()) as livekit,
        running_service(
            open_gateway=lambda: open_gateway(
                url=str(livekit.make_url("/")), api_key=lambda: key, bounds=_BOUNDS
            ),
            open_authenticator=lambda: nullcontext(ApiSecretsAuthenticator(lambda: secrets)),
        ) as service,
    ):
        yield service
