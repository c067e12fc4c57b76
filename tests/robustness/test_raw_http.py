"""Malformed, odd and smuggled requests, and what becomes of the request behind each of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from attrs import evolve, field, frozen

from adapters.identity.api_secrets import ApiSecretsAuthenticator
from entrypoints.http.limits import Limits
from tests.entrypoints.http.conftest import api_secrets, rooms
from tests.entrypoints.http.delegated import CountingGateway
from tests.robustness.clients import NO_TIMEOUTS
from tests.robustness.failures import recorded
from tests.robustness.malformed_requests import FLOODS, MALFORMED
from tests.robustness.metrics import Length, Metrics
from tests.robustness.raw_requests import (
    CLOSING,
    GOOD,
    INCOMPLETE,
    KEEP_ALIVE,
    SECRET,
    Requests,
)
from tests.support.service import MUTE, Answer, Service, parse_answers, running_service
from tests.support.timeouts import HOUR_S

__all__ = ["api_secrets", "rooms"]

pytestmark = pytest.mark.robustness("raw HTTP")

SHORT_HEADERS_TIMEOUT = evolve(NO_TIMEOUTS, headers_timeout_s=0.3)
SHORT_BODY_TIMEOUT = evolve(NO_TIMEOUTS, body_timeout_s=0.3)
CONCURRENT = 50
WITHOUT_OPERATION = ("NOT_FOUND", "METHOD_NOT_ALLOWED")
MUTED = ["get_room", "mute_track"]
CALLS: Mapping[str, Sequence[str]] = {"ROOM_NOT_FOUND": ["get_room"]}
"""The calls of the gateway for a request with this code."""

AMBIGUOUS = {
    *(what for those in INCOMPLETE.values() for what in those),
    *CLOSING["PAYLOAD_TOO_LARGE"],
}
"""Requests whose half-close may be seen before their response or after it."""


def all_requests() -> Requests:
    groups = [MALFORMED, *KEEP_ALIVE.values(), *CLOSING.values(), *INCOMPLETE.values()]
    return {what: request for group in groups for what, request in group.items()}


@frozen
class Target:
    """A service, its gateway, and what Python logged."""

    service: Service
    rooms: CountingGateway
    log: pytest.LogCaptureFixture = field(repr=False)

    async def codes(self, *parts: str, half_closes: bool = False) -> list[str]:
        """Send bytes; return the codes of the responses until the connection is closed."""
        received = await exchange(self.service, parts, half_closes=half_closes)
        assert SECRET.encode() not in received
        answers = [each for each in parse_answers(received) if each.status >= 200]
        return [self._code_of(answer) for answer in answers]

    async def check_health(self) -> None:
        """Check that a good request is still served, and that no log holds the secret."""
        self.rooms.calls.clear()
        assert await self.codes(GOOD) == ["OK"]
        assert self.rooms.calls == MUTED
        assert SECRET not in f"{self.service.events}"
        assert not self.log.records
        self.rooms.calls.clear()

    def _code_of(self, answer: Answer) -> str:
        code: str = answer.json.get("code", "OK")
        assert answer.status < 500, code
        seen: dict[str, Any] = {
            "status": answer.status,
            "headers": answer.headers,
            "body": answer.body,
        }
        if code in WITHOUT_OPERATION:
            self.service.document.check_error(**seen)
        elif "status" in answer.json:
            self.service.document.check(method="GET", path="/livez", **seen)
        else:
            self.service.document.check(method="POST", path=MUTE, **seen)
        return code


async def exchange(service: Service, parts: Sequence[str], *, half_closes: bool) -> bytes:
    """Send parts one after another while reading, until the service closes the connection."""
    reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
    received = bytearray()

    async def read() -> None:
        with suppress(ConnectionError):
            while part := await reader.read(65536):
                received.extend(part)

    reading = asyncio.create_task(read())
    with suppress(OSError):
        for part in parts:
            writer.write(part.encode("latin-1"))
            await writer.drain()
            await asyncio.sleep(0.002 if len(parts) > 1 else 0)
        if half_closes:
            writer.write_eof()
    await reading
    with suppress(ConnectionError):
        writer.close()
        await writer.wait_closed()
    return bytes(received)


@pytest.fixture
def limits() -> Limits:
    return NO_TIMEOUTS


@pytest.fixture
async def target(
    rooms: CountingGateway,
    api_secrets: ApiSecretsAuthenticator,
    limits: Limits,
    caplog: pytest.LogCaptureFixture,
) -> AsyncIterator[Target]:
    async with running_service(
        open_gateway=lambda: nullcontext(rooms),
        open_authenticator=lambda: nullcontext(api_secrets),
        limits=limits,
        timeout_s=HOUR_S,
    ) as service:
        yield Target(service, rooms, caplog)


class TestARequest:
    async def test_that_is_malformed_is_rejected_with_everything_behind_it(
        self, target: Target, metrics: Metrics
    ) -> None:
        failures: dict[str, str] = {}
        for what, request in MALFORMED.items():
            with recorded(failures, what):
                for behind in ("", GOOD):
                    assert await target.codes(request + behind) == ["INVALID_REQUEST"]
                assert not target.rooms.calls
                await target.check_health()
        metrics.note("malformed requests", len(MALFORMED))
        assert failures == {}

    @pytest.mark.parametrize("code", KEEP_ALIVE)
    async def test_that_is_odd_is_answered_like_the_one_behind_it(
        self, target: Target, code: str
    ) -> None:
        failures: dict[str, str] = {}
        for what, request in KEEP_ALIVE[code].items():
            with recorded(failures, what):
                assert await target.codes(request, half_closes=True) == [code]
                assert target.rooms.calls == CALLS.get(code, [])
                target.rooms.calls.clear()
                assert await target.codes(request + GOOD) == [code, "OK"]
                assert target.rooms.calls == [*CALLS.get(code, []), *MUTED]
                await target.check_health()
        assert failures == {}

    @pytest.mark.parametrize(
        ("code", "limits"),
        [
            (code, SHORT_BODY_TIMEOUT if code == "PAYLOAD_TOO_LARGE" else SHORT_HEADERS_TIMEOUT)
            for code in CLOSING
        ],
        ids=CLOSING,
    )
    async def test_without_a_certain_end_is_the_last_on_its_connection(
        self, target: Target, code: str
    ) -> None:
        failures: dict[str, str] = {}
        for what, request in CLOSING[code].items():
            with recorded(failures, what):
                for behind in ("", GOOD):
                    target.rooms.calls.clear()
                    assert await target.codes(request + behind) == [code]
                    assert target.rooms.calls == CALLS.get(code, [])
                await target.check_health()
        assert failures == {}

    @pytest.mark.parametrize(
        ("code", "limits"),
        [("", SHORT_HEADERS_TIMEOUT), ("REQUEST_TIMEOUT", SHORT_BODY_TIMEOUT)],
        ids=["in the headers", "in the body"],
    )
    async def test_that_is_incomplete_times_out(self, target: Target, code: str) -> None:
        failures: dict[str, str] = {}
        for what, request in INCOMPLETE[code].items():
            with recorded(failures, what):
                assert await target.codes(request) == ([code] if code else [])
                [outcome] = await target.codes(request + GOOD)
                assert outcome in ("INVALID_REQUEST", "REQUEST_TIMEOUT")
                assert not target.rooms.calls
                await target.check_health()
        assert failures == {}

    @pytest.mark.parametrize("limits", [SHORT_BODY_TIMEOUT], ids=["short body timeout"])
    async def test_that_is_endless_is_cut_off(self, target: Target) -> None:
        failures: dict[str, str] = {}
        for what, request in FLOODS.items():
            with recorded(failures, what):
                for behind in ("", GOOD):
                    assert await target.codes(request + behind) in ([], ["INVALID_REQUEST"])
                assert not target.rooms.calls
                await target.check_health()
        assert failures == {}


def cuts(text: str, number: int) -> list[int]:
    """Choose places to cut a text at: so many, or all, and always the end of the JSON in it."""
    step = max(1, len(text) // number)
    return sorted({0, *range(step, len(text), step), text.rfind("}") + 1})


class TestAllRequests:
    async def test_get_the_same_responses_in_one_packet_or_two(
        self, target: Target, length: Length, metrics: Metrics
    ) -> None:
        semaphore = asyncio.Semaphore(CONCURRENT)
        texts = {what: text for what, text in all_requests().items() if what not in AMBIGUOUS}

        async def codes(what: str, cut: int) -> list[str]:
            async with semaphore:
                parts = texts[what][:cut], texts[what][cut:]
                return await target.codes(*filter(None, parts), half_closes=True)

        cases = [
            (what, cut)
            for what, text in texts.items()
            for cut in cuts(text, length(short=2, full=150))
        ]
        outcomes = await asyncio.gather(*(codes(what, cut) for what, cut in cases))
        metrics.note("cuts", len(cases))
        by_case = dict(zip(cases, outcomes, strict=True))
        assert [
            (what, cut, by_case[what, cut])
            for what, cut in cases
            if by_case[what, cut] != by_case[what, 0]
        ] == []
        await target.check_health()

    @pytest.mark.soak
    @pytest.mark.parametrize("limits", [Limits(leave_delay_s=0)], ids=["usual limits"])
    async def test_are_answered_or_closed_within_ten_seconds(
        self, target: Target, metrics: Metrics
    ) -> None:
        waited = await asyncio.gather(
            *(seconds_to_response(target.service, request) for request in all_requests().values())
        )
        metrics.at_most("s to the last response", max(waited), 10 + 1, timed=True)


async def seconds_to_response(service: Service, request: str) -> float:
    """Return after how many seconds a response begins, or the connection is closed."""
    reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
    started = asyncio.get_running_loop().time()
    writer.write(request.encode("latin-1"))
    with suppress(ConnectionError):
        while (await reader.read(65536)).startswith(b"HTTP/1.1 100"):
            pass
    waited = asyncio.get_running_loop().time() - started
    writer.close()
    return waited
