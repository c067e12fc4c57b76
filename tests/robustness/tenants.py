"""The service for several tenants, before a LiveKit double."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, nullcontext

from aiohttp.test_utils import TestServer

from adapters.identity.api_secrets import ApiSecrets, ApiSecretsAuthenticator
from adapters.livekit.api_key import ApiKey
from adapters.livekit.limits import LiveKitLimits
from adapters.livekit.room_gateway import open_gateway
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.caller import parse_tenant_id
from tests.robustness.clients import NO_TIMEOUTS
from tests.support.service import Service, running_service
from tests.support.timeouts import HOUR_S


def token_of(tenant: str) -> str:
    return f"secret-of-{tenant.encode().hex()}"


def double_of(rooms: LiveKitRooms) -> LiveKitDouble:
    return LiveKitDouble(
        api_key="devkey", api_secret="a-secret-of-at-least-32-characters", rooms=rooms
    )


@asynccontextmanager
async def serving(double: LiveKitDouble, tenants: Iterable[str]) -> AsyncIterator[Service]:
    """Serve these tenants, each of whom has an API secret."""
    secrets = ApiSecrets({token_of(tenant): parse_tenant_id(tenant) for tenant in tenants})
    key = ApiKey(name=double.api_key, secret=double.api_secret)
    async with (
        TestServer(double.app()) as livekit,
        running_service(
            open_gateway=lambda: open_gateway(
                url=str(livekit.make_url("/")),
                api_key=lambda: key,
                limits=LiveKitLimits(probe_delay_s=HOUR_S),
            ),
            open_authenticator=lambda: nullcontext(ApiSecretsAuthenticator(lambda: secrets)),
            limits=NO_TIMEOUTS,
            timeout_s=HOUR_S,
        ) as service,
    ):
        yield service
