"""``GET /metrics`` on the service's own port, and what its observer passes on."""

import asyncio
from contextlib import nullcontext

import pytest
from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request
from pytest_aiohttp import AiohttpClient

from adapters.identity.api_secrets import ApiSecretsAuthenticator
from application.room_access import RoomAccess
from entrypoints.http.api.metrics import metrics_handler
from entrypoints.http.app import create_app
from entrypoints.http.observers.timing import timing
from tests.entrypoints.http.conftest import DEMO_TOKEN, patient
from tests.entrypoints.http.held import HeldGateway
from tests.support.service import DEMO_REQUEST, MUTE

BEARER = {"Authorization": f"Bearer {DEMO_TOKEN}"}

Client = TestClient[Request, Application]


async def metrics_text() -> bytes:
    return b"livekit_mute_up 1\n"


@pytest.fixture
def observed() -> list[tuple[str, str]]:
    return []


@pytest.fixture
async def client(
    aiohttp_client: AiohttpClient,
    held: HeldGateway,
    api_secrets: ApiSecretsAuthenticator,
    observed: list[tuple[str, str]],
) -> Client:
    app = create_app(
        open_gateway=lambda: nullcontext(held),
        open_authenticator=lambda: nullcontext(api_secrets),
        make_access=lambda gateway: RoomAccess(gateway=gateway, timeout_s=3600),
        limits=patient(max_in_flight=1),
        observers=[timing(lambda path, code, _: observed.append((path, code)))],
        metrics=metrics_handler(metrics_text, media_type="text/plain"),
    )
    return await aiohttp_client(app)


async def get(client: Client, path: str) -> int:
    async with client.get(path) as response:
        return response.status


class TestMetricsRoute:
    async def test_serves_what_is_written_out(self, client: Client) -> None:
        async with client.get("/metrics") as response:
            assert await response.read() == b"livekit_mute_up 1\n"
            assert response.headers["Content-Type"] == "text/plain"
            assert response.headers["Server"] == "livekit-mute"

    async def test_is_exempt_from_load_shedding(self, client: Client, held: HeldGateway) -> None:
        mute = asyncio.create_task(client.post(MUTE, json=DEMO_REQUEST, headers=BEARER))
        await held.arrived.acquire()
        assert (await get(client, "/readyz"), await get(client, "/metrics")) == (503, 200)
        held.released.set()
        assert (await mute).status == 200


class TestTiming:
    async def test_passes_on_no_path_that_a_client_made_up(
        self, client: Client, observed: list[tuple[str, str]]
    ) -> None:
        for path in ("/livez", "/", "/metrics", MUTE, "/livez/../etc", "/secret-room"):
            await get(client, path)
        assert set(observed) == {
            ("/livez", "OK"),
            ("/", "OK"),
            ("/metrics", "OK"),
            (MUTE, "METHOD_NOT_ALLOWED"),
            ("other", "NOT_FOUND"),
        }
