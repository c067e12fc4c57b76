"""The page at ``/docs`` in a real browser."""

import asyncio
from contextlib import nullcontext

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer
from selenium.webdriver import Chrome

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.in_memory.demo import demo_room_gateway
from application.room_access import RoomAccess
from entrypoints.http.app import create_app
from entrypoints.http.page.routes import page_routes
from tests.browser.page import NARROW, Page
from tests.support.command import Running
from tests.support.imports import PROJECT
from tests.support.service import DEMO_REQUEST

pytestmark = pytest.mark.browser

UNKNOWN_TRACK = {**DEMO_REQUEST, "track_sid": "TR_unknown"}


class TestPage:
    def test_shows_the_api_without_an_error(self, page: Page, service: Running) -> None:
        assert page.operations == ["/livekit/participant/mute", "/", "/livez", "/readyz"]
        assert page.errors == []
        assert {f"{service.url}/docs", f"{service.url}/openapi.json"} < page.requested

    def test_loads_nothing_from_elsewhere(self, page: Page, service: Running) -> None:
        page.open_mute()
        others = {url for url in page.requested if not url.startswith(f"{service.url}/")}
        assert {url.partition(":")[0] for url in others} == {"data"}

    def test_sends_requests_with_a_token(self, page: Page) -> None:
        page.authorize("s3cret")
        page.open_mute()
        assert page.mute(DEMO_REQUEST) == ("200", DEMO_REQUEST)
        assert page.errors == []
        status, answer = page.mute(UNKNOWN_TRACK)
        assert (status, answer["code"]) == ("404", "TRACK_NOT_FOUND")
        [error] = page.errors  # which the browser writes itself
        assert "the server responded with a status of 404" in error

    def test_shows_what_a_request_without_a_token_gets(self, page: Page) -> None:
        page.open_mute()
        status, answer = page.mute(DEMO_REQUEST)
        assert (status, answer["code"]) == ("401", "UNAUTHORIZED")

    def test_lets_each_request_have_an_id_of_its_own(self, page: Page, service: Running) -> None:
        page.open_mute()
        ids = []
        for _ in range(2):
            before = len(service.events)
            page.mute(DEMO_REQUEST)
            service.wait_for("request", after=before)
            ids.append(service.events[-1]["request_id"])
        assert ids[0] != ids[1]

    def test_fits_a_narrow_screen(self, page: Page) -> None:
        page.narrow()
        page.authorize("s3cret")
        page.open_mute()
        assert page.mute(DEMO_REQUEST) == ("200", DEMO_REQUEST)
        assert (page.errors, page.width) == ([], NARROW)


class TestPageBelowAPrefix:
    async def test_sends_requests_there(
        self, browser: Chrome, aiohttp_server: AiohttpServer
    ) -> None:
        outer = web.Application()
        app = create_app(
            open_gateway=lambda: nullcontext(demo_room_gateway()),
            open_authenticator=lambda: nullcontext(AnonymousAuthenticator()),
            make_access=lambda gateway: RoomAccess(gateway=gateway, timeout_s=60),
        )
        app.router.add_routes(page_routes(PROJECT / "contract"))
        outer.add_subapp("/conference", app)
        server = await aiohttp_server(outer)

        def mute() -> tuple[str, object]:
            page = Page(browser, str(server.make_url("/conference/docs")))
            page.open_mute()
            return page.mute(DEMO_REQUEST)

        assert await asyncio.to_thread(mute) == ("200", DEMO_REQUEST)
