import asyncio
import socket
from contextlib import suppress

import pytest
from aiohttp import web
from attrs import define, field

from application.ports.authenticator import AuthenticatorError
from tests.adapters.identity.answer_bytes import LOCATION, NO_LENGTH_EITHER, http
from tests.adapters.identity.answer_talks import says, stays
from tests.adapters.identity.answers import ANSWERS, UNAVAILABLE, UNUSABLE, Answer, tenant
from tests.adapters.identity.asking import asking, judge
from tests.adapters.identity.authentication_service import (
    AuthenticationService,
    ByteService,
    Question,
    hear,
    recognise,
)
from tests.presented import Presented, showing

pytestmark = pytest.mark.campaign("authentication service's answers")

ENDING = {name: answer for name, answer in ANSWERS.items() if not answer.is_endless}


class TestAnswer:
    @pytest.mark.parametrize("allow_no_id", [False, True], ids=["strict", "lenient"])
    @pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
    async def test_is_asked_for_once_and_understood(
        self, answer: Answer, allow_no_id: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        service = ByteService(talk=answer.talk)
        timeout_s = 0.2 if answer.is_endless else 20.0
        async with (
            service.running(),
            asking(service.url, timeout_s=timeout_s, allow_no_id=allow_no_id) as authenticator,
        ):
            verdict = await judge(authenticator)
        assert verdict == (answer.lenient if allow_no_id else answer.verdict)
        assert service.connections == 1
        assert not caplog.records

    @pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
    async def test_is_not_looked_for_elsewhere(self, status: int) -> None:
        async def move(_: Question) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": "/good"})

        service = AuthenticationService(respond=move)
        async with service.running(), asking(service.url, allow_no_id=True) as authenticator:
            assert await judge(authenticator) == UNUSABLE
        assert service.visits == ["POST /auth?for=us"]

    @pytest.mark.parametrize(
        ("sent", "reason"),
        [
            (http(status="503 s3cret", more=LOCATION), "answered 503"),
            (http(b"s3cret"), "gave an answer that is not JSON"),
            (http(b'{"id": "s3cret\\n"}'), "gave an answer without a tenant's id"),
            (http(b" " * 4097), "gave too large an answer"),
            (http(b"s3cret")[:-1], "broke off its answer"),
            (b"s3cret\r\n\r\n", "could not be asked (ClientResponseError)"),
            (b"", "could not be asked (ServerDisconnectedError)"),
        ],
    )
    async def test_is_told_of_in_our_words(self, sent: bytes, reason: str) -> None:
        service = ByteService(talk=says(sent))
        async with service.running(), asking(service.url) as authenticator:
            with pytest.raises(AuthenticatorError) as failure:
                await authenticator.authenticate(showing("token"))
        assert failure.value.reason == f"the authentication service {reason}"

    async def test_is_of_no_use_where_nobody_can_tell_that_it_is_whole(self) -> None:
        service = ByteService(talk=says(NO_LENGTH_EITHER))
        async with service.running(), asking(service.url, allow_no_id=True) as authenticator:
            assert await judge(authenticator) == UNUSABLE

    async def test_is_never_one_that_was_there_before_its_question(self) -> None:
        answered, added = asyncio.Event(), asyncio.Event()

        async def add(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await hear(reader)
            writer.write(http().replace(b"Connection: close\r\n", b""))
            await answered.wait()
            writer.write(http(b'{"id": "tenant-b"}'))
            added.set()
            await reader.read()

        service = ByteService(talk=add)
        async with service.running(), asking(service.url) as authenticator:
            assert await judge(authenticator) == tenant("tenant-a")
            answered.set()
            await added.wait()
            await asyncio.sleep(0.2)
            assert await judge(authenticator) == UNAVAILABLE


class TestTime:
    @pytest.mark.parametrize(
        ("timeout_s", "left_s"), [(0.2, 3600.0), (3600.0, 0.2), (3600.0, 0.0), (3600.0, -1.0)]
    )
    async def test_is_bounded_by_the_smaller_bound(self, timeout_s: float, left_s: float) -> None:
        service = ByteService(talk=stays())
        async with service.running(), asking(service.url, timeout_s=timeout_s) as authenticator:
            assert await judge(authenticator, Presented(seconds=left_s)) == UNAVAILABLE

    async def test_is_over_where_none_is_left(self) -> None:
        service = AuthenticationService()
        async with service.running(), asking(service.url) as authenticator:
            assert await judge(authenticator, Presented(seconds=-1)) == UNAVAILABLE


@define(eq=False)
class Crowd:
    """Keeps those who ask until all may go."""

    may_go: asyncio.Event = field(init=False, factory=asyncio.Event)
    inside: int = field(init=False, default=0)
    most: int = field(init=False, default=0)

    async def keep(self, question: Question) -> web.StreamResponse:
        self.inside += 1
        self.most = max(self.most, self.inside)
        await self.may_go.wait()
        self.inside -= 1
        return await recognise(question)


class TestConnections:
    async def test_are_bounded(self) -> None:
        crowd = Crowd()
        service = AuthenticationService(respond=crowd.keep)
        async with service.running(), asking(service.url, max_connections=2) as authenticator:
            judging = [asyncio.create_task(judge(authenticator)) for _ in range(6)]
            while crowd.inside < 2:  # noqa: ASYNC110 - they come over sockets
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            crowd.may_go.set()
            assert await asyncio.gather(*judging) == [tenant()] * 6
        assert crowd.most == 2

    async def test_that_wait_for_another_to_end_wait_no_longer_than_any(self) -> None:
        service = ByteService(talk=stays())
        async with (
            service.running(),
            asking(service.url, max_connections=1, timeout_s=0.2) as authenticator,
        ):
            judged = await asyncio.gather(*(judge(authenticator) for _ in range(3)))
        assert judged == [UNAVAILABLE] * 3

    async def test_are_free_again_after_any_answer(self) -> None:
        service = ByteService(talk=stays())
        async with service.running(), asking(service.url, max_connections=1) as authenticator:
            judged = {}
            for name, answer in ENDING.items():
                service.talk = answer.talk
                judged[name] = await judge(authenticator)
        assert judged == {name: answer.verdict for name, answer in ENDING.items()}

    async def test_are_made_anew_once_the_service_is_back(self) -> None:
        service = AuthenticationService()
        async with service.running(), asking(service.url) as authenticator:
            assert await judge(authenticator) == tenant()
        async with asking(service.url) as authenticator:
            assert await judge(authenticator) == UNAVAILABLE
            async with service.running():
                assert await judge(authenticator) == tenant()
            assert await judge(authenticator) == UNAVAILABLE
            async with service.running():
                assert await judge(authenticator) == tenant()

    async def test_that_were_kept_and_break_are_not_asked_over_twice(self) -> None:
        heard: list[str] = []

        async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await hear(reader)
            heard.append("first")
            writer.write(http().replace(b"Connection: close\r\n", b""))
            with suppress(asyncio.IncompleteReadError):
                await hear(reader)
                heard.append("next")

        service = ByteService(talk=answer_once)
        async with service.running(), asking(service.url) as authenticator:
            assert await judge(authenticator) == tenant()
            assert await judge(authenticator) in (tenant(), UNAVAILABLE)
        assert len(heard) == 2

    async def test_end_with_the_block(self) -> None:
        service = AuthenticationService()
        async with service.running(), asking(service.url) as authenticator:
            await judge(authenticator)
        assert authenticator.session.closed


class TestServiceThatIsNotThere:
    async def test_is_unavailable_where_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        async with asking(f"http://127.0.0.1:{port}", allow_no_id=True) as authenticator:
            assert await judge(authenticator) == UNAVAILABLE

    async def test_is_unavailable_where_it_speaks_no_tls(self) -> None:
        service = AuthenticationService()
        async with (
            service.running(),
            asking(service.url.replace("http", "https"), allow_no_id=True) as authenticator,
        ):
            assert await judge(authenticator) == UNAVAILABLE
