"""What a telemetry is told of checks, of the key server and of the authentication service."""

import asyncio
import gc
import weakref
from collections.abc import Sequence
from contextlib import nullcontext, suppress

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler
from attrs import frozen
from pytest_aiohttp import AiohttpServer
from typing_extensions import override

from adapters.http_client.client import HttpClient
from adapters.http_client.errors import CannotConnectError
from adapters.http_client.telemetry import TRACE_HEADERS
from adapters.identity.chain import open_chain
from adapters.identity.delegated import open_delegated
from adapters.identity.key_server import fetch_key_set, open_key_server
from application.ports.authenticator import (
    Authenticator,
    AuthenticatorError,
    AuthenticatorUnavailableError,
    AuthenticatorUnusableError,
    CredentialRefusedError,
    CredentialUnknownError,
)
from tests.adapters.identity.cases.authentication_service import usual_keys
from tests.support.presented_request import StaticRequest
from tests.support.recorded_calls import RecordedCalls

UNKNOWN = CredentialUnknownError(reason="unknown")


@frozen
class Source(Authenticator):
    """Raises an error, or finds somebody where it has none."""

    error: Exception | None

    @override
    async def authenticate(self, request: object) -> object:  # type: ignore[override]
        if self.error is not None:
            raise self.error
        return None

    @override
    async def verify_ready(self) -> None: ...


@pytest.fixture
def told() -> RecordedCalls:
    return RecordedCalls()


@pytest.mark.parametrize(
    ("errors", "outcomes"),
    [
        ([None, None], [("a", "ok")]),
        ([UNKNOWN, None], [("a", "unknown"), ("b", "ok")]),
        ([UNKNOWN, UNKNOWN], [("a", "unknown"), ("b", "unknown")]),
        ([CredentialRefusedError(reason=""), None], [("a", "refused")]),
        ([AuthenticatorUnavailableError(reason=""), None], [("a", "unavailable")]),
        ([AuthenticatorUnusableError(reason=""), None], [("a", "unusable")]),
        ([OSError(), None], [("a", "dropped")]),
    ],
)
async def test_is_told_of_each_source_that_is_asked(
    told: RecordedCalls, errors: Sequence[Exception | None], outcomes: list[tuple[str, str]]
) -> None:
    sources = {name: nullcontext(Source(each)) for name, each in zip("ab", errors, strict=False)}
    async with open_chain(sources, telemetry=told.telemetry) as chain:
        with suppress(AuthenticatorError, OSError):
            await chain.authenticate(StaticRequest())
    assert told.outcomes == outcomes
    assert told.counted == [(source, "first", 0, outcome) for source, outcome in outcomes]


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [(200, '{"keys": []}', "ok"), (200, "[]", "unusable"), (500, "{}", "unusable")],
)
async def test_is_told_of_fetches_of_the_key_set(
    told: RecordedCalls, aiohttp_server: AiohttpServer, status: int, body: str, outcome: str
) -> None:
    headers = []

    async def answer(request: web.Request) -> web.Response:
        headers.append(request.headers.get("traceparent"))
        return web.Response(status=status, text=body)

    async with open_key_server(
        await serve(aiohttp_server, answer), telemetry=told.telemetry
    ) as keys:
        await keys._refresh()  # noqa: SLF001 - the first, which is under way
    assert told.outcomes == [("GetKeySet", outcome)]
    assert told.counted == [("GetKeySet", "first", 0, outcome)]
    assert headers == ["trace-0"]


async def test_is_told_of_a_fetch_that_is_given_up(
    told: RecordedCalls, aiohttp_server: AiohttpServer
) -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        asked.set()
        await never.wait()
        return web.Response()

    url = await serve(aiohttp_server, answer)
    async with open_key_server(url, telemetry=told.telemetry):
        await asked.wait()
    never.set()
    assert told.counted == [("GetKeySet", "first", 0, "dropped")]


async def test_the_error_of_a_fetch_is_freed_at_once() -> None:
    """And with it what its traceback refers to, without the garbage collector."""
    gc.disable()
    try:
        async with HttpClient("http://127.0.0.1:1", max_connections=1) as client:
            with pytest.raises(CannotConnectError) as raised:
                await fetch_key_set(client, deadline=client.time() + 3600)
            freed = weakref.ref(raised.value)
            del raised
        assert freed() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(("status", "outcome"), [(200, "ok"), (403, "refused"), (500, "unusable")])
async def test_is_told_of_calls_of_the_authentication_service(
    told: RecordedCalls, aiohttp_server: AiohttpServer, status: int, outcome: str
) -> None:
    headers = []

    async def answer(request: web.Request) -> web.Response:
        headers.append(request.headers.get("traceparent"))
        return web.Response(status=status, text='{"id": "tenant-a"}')

    async with open_delegated(
        url=await serve(aiohttp_server, answer),
        signing_key=lambda: usual_keys().signing,
        timeout_s=3600,
        max_connections=1,
        allow_no_id=False,
        telemetry=told.telemetry,
    ) as service:
        with suppress(AuthenticatorError):
            await service.authenticate(StaticRequest())
    assert told.outcomes == [("Authenticate", outcome)]
    assert told.counted == [("Authenticate", "first", 0, outcome)]
    assert headers == ["trace-0"]


async def test_sends_a_trace_to_the_authentication_service_alone(
    aiohttp_server: AiohttpServer,
) -> None:
    traces = {}

    async def answer(request: web.Request) -> web.Response:
        traces[request.method] = request.headers.get("traceparent")
        return web.Response(text='{"id": "tenant-a", "keys": []}')

    TRACE_HEADERS.set({"traceparent": "trace"})
    url = await serve(aiohttp_server, answer)
    async with (
        open_key_server(url) as keys,
        open_delegated(
            url=url,
            signing_key=lambda: usual_keys().signing,
            timeout_s=3600,
            max_connections=1,
            allow_no_id=False,
        ) as service,
    ):
        await keys._refresh()  # noqa: SLF001 - the first, which is under way
        await service.authenticate(StaticRequest())
    assert traces == {"GET": None, "POST": "trace"}


async def serve(aiohttp_server: AiohttpServer, answer: Handler) -> str:
    app = web.Application()
    app.router.add_route("*", "/", answer)
    return str((await aiohttp_server(app)).make_url("/"))
