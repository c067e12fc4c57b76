"""Bytes that are no request, or more than one, and what stands behind them in the same packet."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from _pytest.mark import ParameterSet
from attrs import field, frozen

from adapters.identity.api_secrets import ApiSecretsAuthenticator
from entrypoints.http.limits import Limits
from tests.campaigns.figures import Figures, Length
from tests.campaigns.malformed_requests import FLOODS, REFUSED
from tests.campaigns.raw_requests import GOOD, LAST, SECRET, SERVED, UNFINISHED, Requests
from tests.entrypoints.http.conftest import api_secrets, rooms
from tests.entrypoints.http.delegated import CountingGateway
from tests.service import MUTE, Answer, Service, parse_answers, running_service

__all__ = ["api_secrets", "rooms"]

pytestmark = pytest.mark.campaign("raw HTTP")

QUICK = Limits(leaving_s=0, headers_timeout_s=0.3, body_timeout_s=0.3, idle_timeout_s=0.3)
UNHURRIED = Limits(leaving_s=0)
PATIENCE_S = 20.0
AT_ONCE = 50
BELONGS_TO_NO_ROUTE = ("NOT_FOUND", "METHOD_NOT_ALLOWED")
CARRIED_OUT = ["get_room", "mute_track"]
ASKED: Mapping[str, Sequence[str]] = {"ROOM_NOT_FOUND": ["get_room"]}
"""What the rooms are asked for a request that is answered so."""


CHANGING = {
    *(what for those in UNFINISHED.values() for what in those),
    *LAST["PAYLOAD_TOO_LARGE"],
}
"""Whose end, where they half-close, comes before the answer or after it."""


def by_code(requests: Mapping[str, Requests]) -> list[ParameterSet]:
    return [
        pytest.param(code, request, id=f"{code or 'nothing'}: {what}")
        for code, those in requests.items()
        for what, request in those.items()
    ]


def everything() -> Requests:
    groups = [REFUSED, *SERVED.values(), *LAST.values(), *UNFINISHED.values()]
    return {what: request for group in groups for what, request in group.items()}


@frozen
class Target:
    """A service, and what is known of it behind its back."""

    service: Service
    rooms: CountingGateway
    log: pytest.LogCaptureFixture = field(repr=False)

    async def tell(self, *parts: str, half_closes: bool = False) -> list[str]:
        """Say something; give the codes of what is answered until the connection is closed."""
        async with asyncio.timeout(PATIENCE_S):
            received = await converse(self.service, parts, half_closes=half_closes)
        assert SECRET.encode() not in received
        answers = [each for each in parse_answers(received) if each.status >= 200]
        return [self._code_of(answer) for answer in answers]

    async def is_well(self) -> None:
        """Hold it to its next answer, on another connection, and to what its log keeps quiet."""
        self.rooms.calls.clear()
        assert await self.tell(GOOD) == ["OK"]
        assert self.rooms.calls == CARRIED_OUT
        assert SECRET not in f"{self.service.events}"
        assert not self.log.records

    def _code_of(self, answer: Answer) -> str:
        code: str = answer.json.get("code", "OK")
        assert answer.status < 500, code
        seen: dict[str, Any] = {
            "status": answer.status,
            "headers": answer.headers,
            "body": answer.body,
        }
        if code in BELONGS_TO_NO_ROUTE:
            self.service.document.check_error(**seen)
        elif "status" in answer.json:
            self.service.document.check(method="GET", path="/livez", **seen)
        else:
            self.service.document.check(method="POST", path=MUTE, **seen)
        return code


async def converse(service: Service, parts: Sequence[str], *, half_closes: bool) -> bytes:
    """Say one part after the other, and listen meanwhile, until the other side closes."""
    reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
    received = bytearray()

    async def listen() -> None:
        with suppress(ConnectionError):
            while heard := await reader.read(65536):
                received.extend(heard)

    listening = asyncio.create_task(listen())
    with suppress(OSError):
        for part in parts:
            writer.write(part.encode("latin-1"))
            await writer.drain()
            await asyncio.sleep(0.002 if len(parts) > 1 else 0)
        if half_closes:
            writer.write_eof()
    await listening
    with suppress(ConnectionError):
        writer.close()
        await writer.wait_closed()
    return bytes(received)


@pytest.fixture
def limits() -> Limits:
    return QUICK


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
    ) as service:
        yield Target(service, rooms, caplog)


class TestARequest:
    @pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED.keys())
    async def test_that_is_malformed_is_refused_once_with_all_that_is_behind_it(
        self, target: Target, request_: str
    ) -> None:
        for behind in ("", GOOD):
            assert await target.tell(request_ + behind) == ["INVALID_REQUEST"]
        assert not target.rooms.calls
        await target.is_well()

    @pytest.mark.parametrize(("code", "request_"), by_code(SERVED))
    async def test_that_is_odd_is_answered_and_so_is_the_next(
        self, target: Target, code: str, request_: str
    ) -> None:
        assert await target.tell(request_, half_closes=True) == [code]
        assert target.rooms.calls == ASKED.get(code, [])
        target.rooms.calls.clear()
        assert await target.tell(request_ + GOOD) == [code, "OK"]
        assert target.rooms.calls == [*ASKED.get(code, []), *CARRIED_OUT]
        await target.is_well()

    @pytest.mark.parametrize(("code", "request_"), by_code(LAST))
    async def test_that_nobody_sees_the_end_of_is_the_last(
        self, target: Target, code: str, request_: str
    ) -> None:
        for behind in ("", GOOD):
            target.rooms.calls.clear()
            assert await target.tell(request_ + behind) == [code]
            assert target.rooms.calls == ASKED.get(code, [])
        await target.is_well()

    @pytest.mark.parametrize(("code", "request_"), by_code(UNFINISHED))
    async def test_that_is_not_whole_is_given_up(
        self, target: Target, code: str, request_: str
    ) -> None:
        assert await target.tell(request_) == ([code] if code else [])
        [told] = await target.tell(request_ + GOOD)
        assert told in ("INVALID_REQUEST", "REQUEST_TIMEOUT")
        assert not target.rooms.calls
        await target.is_well()

    @pytest.mark.parametrize("request_", FLOODS.values(), ids=FLOODS.keys())
    async def test_that_has_no_end_is_cut_off(self, target: Target, request_: str) -> None:
        for behind in ("", GOOD):
            assert await target.tell(request_ + behind) in ([], ["INVALID_REQUEST"])
        assert not target.rooms.calls
        await target.is_well()


def places(text: str, number: int) -> list[int]:
    """Choose places to cut a text at: so many, or all, and always the end of the JSON in it."""
    step = max(1, len(text) // number)
    return sorted({0, *range(step, len(text), step), text.rfind("}") + 1})


class TestAllRequests:
    def test_are_many(self, figures: Figures) -> None:
        figures.at_least("hostile requests", len(everything()) + len(FLOODS), 110)
        figures.note("of them refused", len(REFUSED))

    @pytest.mark.parametrize("limits", [UNHURRIED], ids=["unhurried"])
    async def test_get_the_same_answers_wherever_they_are_cut(
        self, target: Target, length: Length, figures: Figures
    ) -> None:
        at_once = asyncio.Semaphore(AT_ONCE)
        texts = {what: text for what, text in everything().items() if what not in CHANGING}

        async def tell(what: str, place: int) -> list[str]:
            async with at_once:
                parts = texts[what][:place], texts[what][place:]
                return await target.tell(*filter(None, parts), half_closes=True)

        cuts = [
            (what, place)
            for what, text in texts.items()
            for place in places(text, length(short=2, full=150))
        ]
        told = await asyncio.gather(*(tell(what, place) for what, place in cuts))
        figures.note("cuts", len(cuts))
        codes = dict(zip(cuts, told, strict=True))
        assert [(*cut, codes[cut]) for cut in cuts if codes[cut] != codes[cut[0], 0]] == []
        await target.is_well()

    @pytest.mark.soak
    @pytest.mark.parametrize("limits", [UNHURRIED], ids=["unhurried"])
    async def test_are_answered_or_closed_within_ten_seconds(
        self, target: Target, figures: Figures
    ) -> None:
        waited = await asyncio.gather(
            *(first_word(target.service, request) for request in everything().values())
        )
        figures.at_most("longest wait in seconds", max(waited), 10 + 1, timed=True)


async def first_word(service: Service, request: str) -> float:
    """Tell after how many seconds anything is answered, or the connection closed."""
    reader, writer = await asyncio.open_connection(service.url.host, service.url.port)
    started = asyncio.get_running_loop().time()
    writer.write(request.encode("latin-1"))
    with suppress(ConnectionError):
        while (await reader.read(65536)).startswith(b"HTTP/1.1 100"):
            pass
    waited = asyncio.get_running_loop().time() - started
    writer.close()
    return waited
