"""The application as a part of somebody else's, below a prefix of theirs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from http import HTTPStatus
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient
from typing_extensions import override

from adapters.identity.api_secrets import ApiSecretsAuthenticator
from adapters.in_memory.demo import demo_room_gateway
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.ports.authenticator import Authenticator
from application.room_access import RoomAccess
from entrypoints.http.app import create_app
from tests.entrypoints.http.conftest import DEMO_TOKEN, OTHER_TOKEN
from tests.support.openapi_document import Document
from tests.support.service import DEMO_REQUEST, MUTE

BEARER = {"Authorization": f"Bearer {DEMO_TOKEN}"}
OTHER = {"Authorization": f"Bearer {OTHER_TOKEN}"}

Client = TestClient[web.Request, web.Application]


class Gateways:
    """Opens the demo's gateway, and knows how many are open."""

    def __init__(self) -> None:
        self.opened = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[InMemoryRoomGateway]:
        self.opened += 1
        yield demo_room_gateway()
        self.opened -= 1


@web.middleware
async def outer(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    response = await handler(request)
    response.headers["X-Outer"] = "seen"
    return response


def mounted(authenticator: Authenticator, gateways: Gateways) -> web.Application:
    app = web.Application(middlewares=[outer])
    inner = create_app(
        open_gateway=gateways.open,
        open_authenticator=lambda: nullcontext(authenticator),
        make_access=lambda gateway: RoomAccess(gateway=gateway, timeout_s=3600),
    )
    app.add_subapp("/conference", inner)
    return app


@pytest.fixture
def gateways() -> Gateways:
    return Gateways()


@pytest.fixture
async def client(
    aiohttp_client: AiohttpClient, api_secrets: ApiSecretsAuthenticator, gateways: Gateways
) -> Client:
    return await aiohttp_client(mounted(api_secrets, gateways))


class Nobody(Authenticator):
    """Written without types: returns no caller where it should have raised."""

    @override
    async def authenticate(self, request: Any) -> Any:
        return None

    @override
    async def verify_ready(self) -> None:
        pass


class TestMounted:
    @pytest.mark.parametrize(
        "case",
        [
            ("GET", "/", {}, 200, "OK"),
            ("GET", "/livez", {}, 200, "OK"),
            ("GET", "/readyz", {}, 200, "READY"),
            ("GET", "/nope", {}, 404, "NOT_FOUND"),
            ("GET", MUTE, {}, 405, "METHOD_NOT_ALLOWED"),
            ("POST", MUTE, {"json": DEMO_REQUEST, "headers": BEARER}, 200, None),
            ("POST", MUTE, {"json": DEMO_REQUEST}, 401, "UNAUTHORIZED"),
            ("POST", MUTE, {"data": b"{}", "headers": BEARER}, 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("POST", MUTE, {"json": "x" * 20_000, "headers": BEARER}, 413, "PAYLOAD_TOO_LARGE"),
            ("POST", MUTE, {"json": {}, "headers": BEARER}, 400, "INVALID_REQUEST"),
            ("POST", MUTE, {"headers": {"Expect": "x"}}, 400, "INVALID_REQUEST"),
            ("POST", MUTE, {"json": DEMO_REQUEST, "headers": OTHER}, 404, "ROOM_NOT_FOUND"),
        ],
    )
    async def test_responds_as_documented(
        self, client: Client, case: tuple[str, str, dict[str, Any], int, str | None]
    ) -> None:
        method, path, asked, status, code = case
        headers = {**asked.get("headers", {}), "X-Request-ID": "of-the-client"}
        request = {**asked, "headers": headers}
        async with client.request(method, f"/conference{path}", **request) as response:
            body = await response.read()
            found = await response.json()
        Document().check(
            method=method, path=path, status=response.status, headers=response.headers, body=body
        )
        assert (response.status, found.get("code", found.get("status"))) == (status, code)
        assert response.headers["X-Request-ID"] == "of-the-client"
        assert response.headers["X-Outer"] == "seen"

    async def test_leaves_other_paths_to_the_application_around_it(self, client: Client) -> None:
        for path in ("/", "/conferences", MUTE):
            async with client.get(path) as response:
                assert (response.status, response.content_type) == (
                    HTTPStatus.NOT_FOUND,
                    "text/plain",
                )

    async def test_opens_the_gateway_for_as_long_as_the_application_runs(
        self, client: Client, gateways: Gateways
    ) -> None:
        assert gateways.opened == 1
        await client.close()
        assert gateways.opened == 0

    async def test_lets_nobody_in_whom_an_authenticator_did_not_identify(
        self, aiohttp_client: AiohttpClient, gateways: Gateways
    ) -> None:
        client = await aiohttp_client(mounted(Nobody(), gateways))
        async with client.post(f"/conference{MUTE}", json=DEMO_REQUEST) as response:
            assert (response.status, (await response.json())["code"]) == (500, "INTERNAL_ERROR")
