import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import nullcontext

import pytest
from yarl import URL

from adapters.identity.anonymous import AnonymousAuthenticator
from entrypoints.http.page.routes import page_routes
from tests.entrypoints.http.conftest import Serve, patient
from tests.entrypoints.http.held import HeldGateway, begin_mute
from tests.support.imports import PROJECT
from tests.support.service import Service, running_service

DOCUMENT = PROJECT / "contract"
MEDIA_TYPES = {
    "/docs": "text/html; charset=utf-8",
    "/docs/page.css": "text/css; charset=utf-8",
    "/docs/page.js": "text/javascript; charset=utf-8",
    "/docs/swagger-ui.css": "text/css; charset=utf-8",
    "/docs/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "/openapi.json": "application/json",
    "/openapi.yaml": "application/yaml",
}


@pytest.fixture
async def service(held: HeldGateway) -> AsyncIterator[Service]:
    async with running_service(
        open_gateway=lambda: nullcontext(held),
        open_authenticator=lambda: nullcontext(AnonymousAuthenticator()),
        limits=patient(max_in_flight=1),
        more_routes=page_routes(DOCUMENT),
    ) as running:
        yield running


async def get(
    service: Service, path: str, *, method: str = "GET"
) -> tuple[int, Mapping[str, str], bytes]:
    async with service.session.request(method, service.url.with_path(path)) as response:
        return response.status, response.headers, await response.read()


def directives(headers: Mapping[str, str]) -> dict[str, list[str]]:
    """The directives of the content security policy, each with its sources."""
    policy = headers["Content-Security-Policy"].split(";")
    return {name: sources for name, *sources in map(str.split, policy)}


class TestPage:
    @pytest.mark.parametrize(("path", "media_type"), MEDIA_TYPES.items())
    async def test_has_its_files(self, service: Service, path: str, media_type: str) -> None:
        status, headers, body = await get(service, path)
        assert (status, headers["Content-Type"]) == (200, media_type)
        assert len(body) == int(headers["Content-Length"]) > 0
        status, of_head, nothing = await get(service, path, method="HEAD")
        assert (status, of_head["Content-Length"], nothing) == (200, str(len(body)), b"")

    @pytest.mark.parametrize("name", ["openapi.json", "openapi.yaml"])
    async def test_shows_the_document_as_it_is(self, service: Service, name: str) -> None:
        _, _, text = await get(service, f"/{name}")
        assert text == (DOCUMENT / name).read_bytes()

    async def test_fills_in_nothing_that_may_be_left_out(self, service: Service) -> None:
        _, _, text = await get(service, "/openapi.json")
        parameters = json.loads(text)["components"]["parameters"].values()
        assert [each["name"] for each in parameters if not each["required"]] == ["X-Request-ID"]
        for each in parameters:
            assert not {"example", "examples"} & each.keys()
            assert not {"example", "examples", "default"} & each["schema"].keys()

    @pytest.mark.parametrize("path", MEDIA_TYPES)
    async def test_lets_browsers_load_and_send_nothing_elsewhere(
        self, service: Service, path: str
    ) -> None:
        _, headers, _ = await get(service, path)
        found = directives(headers)
        assert found["default-src"] == found["frame-ancestors"] == ["'none'"]
        assert found["base-uri"] == found["form-action"] == ["'none'"]
        sources = {source for each in found.values() for source in each}
        assert sources == {"'none'", "'self'", "data:"}
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Server"] == "livekit-mute"

    async def test_has_no_script_or_style_within_it(self, service: Service) -> None:
        _, _, body = await get(service, "/docs")
        text = body.decode()
        inline = r'<script(?! src="docs/[\w.-]+"></script>)|<style|style=|\bon\w+='
        assert re.findall(inline, text) == []

    async def test_names_no_file_that_it_does_not_have(self, service: Service) -> None:
        _, _, body = await get(service, "/docs")
        named = set(re.findall(r'(?:src|href)="([^":]+)"', body.decode()))
        assert {f"/{name}" for name in named} < MEDIA_TYPES.keys()
        assert len(named) == 5

    @pytest.mark.parametrize(
        "path",
        [
            "/docs/oauth2-redirect.html",
            "/docs/routes.py",
            "/docs/../openapi.yaml/..",
            "/docs/%2e%2e/routes.py",
            "/docs/..%2f..%2fapp.py",
            "/docs//etc/passwd",
            "/swagger-ui.css",
            "/favicon.ico",
        ],
    )
    async def test_has_no_other_files(self, service: Service, path: str) -> None:
        request = f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        [answer] = await service.send(request.encode())
        assert answer.outcome == (404, "NOT_FOUND")

    async def test_is_found_with_a_slash_too_also_behind_a_prefix(self, service: Service) -> None:
        at = service.url.with_path("/docs/")
        async with service.session.get(at, allow_redirects=False) as response:
            assert (response.status, await response.read()) == (308, b"")
        location = URL(response.headers["Location"])
        assert at.join(location) == service.url.with_path("/docs")
        behind = URL("https://example.com/mute/docs/")
        assert behind.join(location) == URL("https://example.com/mute/docs")
        assert service.events[-1]["log_level"] == "debug"

    async def test_supports_no_other_method(self, service: Service) -> None:
        answer = await service.ask("POST", "/docs")
        assert answer.outcome == (405, "METHOD_NOT_ALLOWED")
        assert answer.headers["Allow"] == "GET,HEAD"

    async def test_is_routine_in_the_log(self, service: Service) -> None:
        await get(service, "/docs")
        await service.ask("GET", "/nope")
        assert [(event["path"], event["log_level"]) for event in service.events] == [
            ("/docs", "debug"),
            ("/nope", "info"),
        ]

    async def test_is_rejected_while_the_service_is_overloaded(
        self, service: Service, held: HeldGateway
    ) -> None:
        muting = await begin_mute(service, held)
        answer = await service.ask("GET", "/docs")
        held.released.set()
        assert (answer.outcome, (await muting).status) == ((503, "OVERLOADED"), 200)


class TestWithoutThePage:
    async def test_there_is_none_of_its_paths(self, serve: Serve) -> None:
        service = await serve()
        found = {path: (await service.ask("GET", path)).outcome for path in MEDIA_TYPES}
        assert found == dict.fromkeys(MEDIA_TYPES, (404, "NOT_FOUND"))
