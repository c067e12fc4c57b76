"""The application under a server that is not ours: aiohttp's own, as its test client runs it."""

import asyncio
from contextlib import nullcontext
from typing import Any

import pytest
import structlog
from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request
from pytest_aiohttp import AiohttpClient
from structlog.testing import LogCapture

from adapters.identity.api_secrets import ApiSecretsAuthenticator
from application.room_access import RoomAccess
from entrypoints.http.app import create_app
from entrypoints.http.observers.request_log import request_log
from tests.entrypoints.http.conftest import DEMO_TOKEN, OTHER_TOKEN, patient
from tests.entrypoints.http.held import HeldGateway
from tests.support.openapi_document import Document
from tests.support.service import DEMO_REQUEST, MUTE

BEARER = {"Authorization": f"Bearer {DEMO_TOKEN}"}

Client = TestClient[Request, Application]


@pytest.fixture
def log() -> LogCapture:
    return LogCapture()


@pytest.fixture
async def client(
    aiohttp_client: AiohttpClient,
    held: HeldGateway,
    api_secrets: ApiSecretsAuthenticator,
    log: LogCapture,
) -> Client:
    logger = structlog.wrap_logger(
        None, processors=[log], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    app = create_app(
        open_gateway=lambda: nullcontext(held),
        open_authenticator=lambda: nullcontext(api_secrets),
        make_access=lambda gateway: RoomAccess(gateway=gateway, timeout_s=3600),
        limits=patient(max_in_flight=1, max_body_bytes=300),
        observers=[request_log(logger)],
    )
    return await aiohttp_client(app)


class TestUnderAnyServer:
    async def test_mutes(self, client: Client, held: HeldGateway, log: LogCapture) -> None:
        held.released.set()
        async with client.post(MUTE, json=DEMO_REQUEST, headers=BEARER) as response:
            assert (response.status, await response.json()) == (200, DEMO_REQUEST)
        [event] = log.entries
        assert (event["code"], event["caller_id"], event["muted"]) == ("OK", "tenant-a", True)

    @pytest.mark.parametrize(
        "case",
        [
            ("GET", "/livez", {}, 200, "OK"),
            ("GET", "/readyz", {}, 200, "OK"),
            ("GET", "/nope", {}, 404, "NOT_FOUND"),
            ("GET", MUTE, {}, 405, "METHOD_NOT_ALLOWED"),
            ("POST", MUTE, {"headers": {"Expect": "x"}}, 400, "INVALID_REQUEST"),
            ("POST", MUTE, {"headers": {"Host": "a b"}}, 400, "INVALID_REQUEST"),
            ("POST", MUTE, {"json": DEMO_REQUEST}, 401, "UNAUTHORIZED"),
            ("POST", MUTE, {"data": b"{}", "headers": BEARER}, 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("POST", MUTE, {"json": "x" * 300, "headers": BEARER}, 413, "PAYLOAD_TOO_LARGE"),
            ("POST", MUTE, {"json": {}, "headers": BEARER}, 400, "INVALID_REQUEST"),
            (
                "POST",
                MUTE,
                {"json": DEMO_REQUEST, "headers": {"Authorization": f"Bearer {OTHER_TOKEN}"}},
                404,
                "ROOM_NOT_FOUND",
            ),
        ],
    )
    async def test_responds_as_documented(
        self, client: Client, log: LogCapture, case: tuple[str, str, dict[str, Any], int, str]
    ) -> None:
        method, path, request_, status, code = case
        async with client.request(method, path, **request_) as response:
            body = await response.read()
        assert response.status == status
        Document().check(
            method=method, path=path, status=status, headers=response.headers, body=body
        )
        [event] = log.entries
        assert (event["status"], event["code"]) == (status, code)
        assert event["request_id"] == response.headers["X-Request-ID"]

    async def test_limits_requests_in_flight(self, client: Client, held: HeldGateway) -> None:
        first = asyncio.create_task(client.post(MUTE, json=DEMO_REQUEST, headers=BEARER))
        await held.arrived.acquire()
        second = await client.post(MUTE, json=DEMO_REQUEST, headers=BEARER)
        alive = await client.get("/livez")
        held.released.set()
        assert [second.status, alive.status, (await first).status] == [503, 200, 200]
