"""``GET /metrics`` on the service's own port, and what is counted of requests."""

import asyncio
from contextlib import nullcontext

import pytest
from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request
from pytest_aiohttp import AiohttpClient

from adapters.http_client.telemetry import NO_TELEMETRY, Attempt, Outcome
from adapters.identity.api_secrets import ApiSecretsAuthenticator
from application.room_access import RoomAccess
from entrypoints.http.api.metrics import metrics_handler
from entrypoints.http.app import create_app
from entrypoints.http.limits import Limits
from entrypoints.logs import Stderr
from entrypoints.metrics.metrics import Metrics
from tests.entrypoints.http.conftest import DEMO_TOKEN, patient
from tests.entrypoints.http.held import HeldGateway
from tests.support.service import DEMO_REQUEST, MUTE

PAGE = "https://app.example.com"
BEARER = {"Authorization": f"Bearer {DEMO_TOKEN}"}

Client = TestClient[Request, Application]


async def metrics_text() -> bytes:
    return b"livekit_mute_up 1\n"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(limits=Limits(), log=Stderr())


@pytest.fixture
async def client(
    aiohttp_client: AiohttpClient,
    held: HeldGateway,
    api_secrets: ApiSecretsAuthenticator,
    metrics: Metrics,
) -> Client:
    app = create_app(
        open_gateway=lambda: nullcontext(held),
        open_authenticator=lambda: nullcontext(api_secrets),
        make_access=lambda gateway: RoomAccess(gateway=gateway, timeout_s=3600),
        limits=patient(max_in_flight=1),
        allowed_origins=[PAGE],
        observers=[metrics.observe_request],
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
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Cache-Control"] == "no-store"

    async def test_is_exempt_from_load_shedding(self, client: Client, held: HeldGateway) -> None:
        mute = asyncio.create_task(client.post(MUTE, json=DEMO_REQUEST, headers=BEARER))
        await held.arrived.acquire()
        assert (await get(client, "/readyz"), await get(client, "/metrics")) == (503, 200)
        held.released.set()
        assert (await mute).status == 200


class TestRequests:
    async def test_are_noted_in_bounded_memory(self, client: Client, metrics: Metrics) -> None:
        ended = metrics.servers["livekit"].ended
        note_call = metrics.listen("livekit", NO_TELEMETRY).ended
        assert note_call
        for _ in range(100):
            note_call((("ListRooms", Attempt.FIRST, 1), Outcome.OK, 0.0, 0.1))
            assert await get(client, "/livez") == 200
            assert len(ended) < 64
        counted = metrics.requests.series["/livez", "OK"].numbers
        assert sum(counted) == sum(metrics.rooms.series[()].numbers) == 64

    async def test_are_counted_under_no_path_that_a_client_made_up(
        self, client: Client, metrics: Metrics
    ) -> None:
        """Nor as a mute, if they are none: that would dilute the rate of failures."""
        for path in ("/livez", "/", "/metrics", MUTE, "/livez/../etc", "/secret-room"):
            await get(client, path)
        preflight = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
        async with client.options(MUTE, headers=preflight) as response:
            assert response.status == 204
        metrics.count()
        series = metrics.requests.series
        assert {labels for labels in series if any(series[labels].numbers)} == {
            ("/livez", "OK"),
            ("/", "OK"),
            ("/metrics", "OK"),
            ("other", "OK"),
            ("other", "METHOD_NOT_ALLOWED"),
            ("other", "NOT_FOUND"),
        }
