"""A LiveKit double, and settings that name it."""

from collections.abc import Mapping

import pytest
from pytest_aiohttp import AiohttpServer

from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from entrypoints.check.finding import Finding
from entrypoints.check.run import findings
from entrypoints.settings.settings import Settings
from tests.support.secret_scan import keep


@pytest.fixture
def double() -> LiveKitDouble:
    secret = keep("a-secret-of-at-least-32-characters-for-check")
    return LiveKitDouble(api_key="key", api_secret=secret, rooms=LiveKitRooms())


@pytest.fixture
async def variables(double: LiveKitDouble, aiohttp_server: AiohttpServer) -> dict[str, str]:
    """Settings with which nothing is wrong."""
    server = await aiohttp_server(double.app())
    return {
        "LIVEKIT_URL": str(server.make_url("/")),
        "LIVEKIT_API_KEY": double.api_key,
        "LIVEKIT_API_SECRET": double.api_secret,
        "AUTH_API_SECRET": keep("s3cret-of-a-caller-for-check"),
    }


async def found(settings: Settings) -> Mapping[str, Finding]:
    """Check, and return the findings by what was checked, of several the last."""
    return {each.check: each async for each in findings(settings)}
