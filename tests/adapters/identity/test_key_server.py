import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.identity.key_server import Pace, open_key_server
from tests.adapters.identity.key_set_door import (
    BRISK,
    CALM,
    FORGED,
    IMPATIENT,
    LET_IN,
    REFUSED,
    UNAVAILABLE,
    A,
    B,
    Warnings,
    door_to,
    until,
)
from tests.adapters.identity.key_set_server import (
    MAX_BYTES,
    Answer,
    IssuerKey,
    KeySetServer,
    as_a_page,
    padded,
    rsa_key,
    with_a_cookie,
)

pytestmark = pytest.mark.campaign("key sets")


class TestPace:
    def test_is_the_one_that_was_promised(self) -> None:
        pace = Pace()
        assert (pace.retry_after_s, pace.keep_for_s, pace.timeout_s) == (30, 3600, 2)
        assert pace.renew_after_s + pace.retry_after_s + pace.timeout_s < 300

    def test_renews_every_four_minutes(self) -> None:
        assert Pace().renew_after_s == 4 * 60


class TestFirstFetch:
    async def test_is_waited_for_by_all_who_come_meanwhile(self, server: KeySetServer) -> None:
        server.released.clear()
        async with door_to(server) as door:
            asking = [asyncio.create_task(door.tells(A.sign())) for _ in range(10)]
            await until(lambda: server.fetches == 1)
            assert not any(one.done() for one in asking)
            server.released.set()
            assert await asyncio.gather(*asking) == 10 * [LET_IN]
        assert server.fetches == 1

    async def test_needs_no_request(self, server: KeySetServer) -> None:
        async with door_to(server):
            await until(lambda: server.fetches == 1)

    async def test_asks_for_nothing_compressed_and_keeps_no_cookies(
        self, server: KeySetServer, warnings: Warnings
    ) -> None:
        server.answer = with_a_cookie
        keys = open_key_server(server.url.replace("127.0.0.1", "localhost"), pace=BRISK)
        async with keys:  # cookies are for names alone
            await until(lambda: server.fetches >= 3)
        assert warnings() == []
        assert {headers["Accept-Encoding"] for headers in server.headers} == {"identity"}
        assert "s3cret" not in str(server.headers)


class TestKnownKeys:
    async def test_cost_no_fetch(self, server: KeySetServer) -> None:
        async with door_to(server) as door:
            assert {await door.tells(A.sign()) for _ in range(100)} == {LET_IN}
        assert server.fetches == 1

    async def test_let_in_tokens_without_kid(self, server: KeySetServer) -> None:
        server.published = [B, A]
        async with door_to(server) as door:
            assert await door.tells(IssuerKey(None, key=A.key).sign()) == LET_IN

    async def test_settle_a_forgery_at_once_though_the_server_is_down(
        self, server: KeySetServer, warnings: Warnings
    ) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            await server.stop()
            assert await door.tells(FORGED) == REFUSED
        assert warnings() == []

    async def test_are_renewed_without_a_request(self, server: KeySetServer) -> None:
        pace = Pace(renew_after_s=0.02, retry_after_s=3600, keep_for_s=1e6, timeout_s=60)
        async with door_to(server, pace) as door:
            await until(lambda: server.fetches >= 3)
            server.published = [B]
            await door.comes_to_tell(LET_IN, B.sign())

    async def test_are_good_no_longer_once_withdrawn(self, server: KeySetServer) -> None:
        async with door_to(server, BRISK) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.published = [B]
            await door.comes_to_tell(REFUSED, A.sign())

    async def test_can_all_be_withdrawn(self, server: KeySetServer, warnings: Warnings) -> None:
        async with door_to(server, BRISK) as door:
            assert await door.tells(A.sign()) == LET_IN
            assert warnings() == []
            server.published = []
            await door.comes_to_tell(REFUSED, A.sign())
        assert set(warnings()) == {"the key server answers without a key that can be used"}

    async def test_are_dropped_after_a_while_without_the_server(self, server: KeySetServer) -> None:
        pace = Pace(renew_after_s=0.02, retry_after_s=0.05, keep_for_s=0.2, timeout_s=60)
        async with door_to(server, pace) as door:
            await door.comes_to_tell(LET_IN, A.sign())
            await server.stop()
            await door.comes_to_tell(UNAVAILABLE, A.sign())
            await server.start()
            await door.comes_to_tell(LET_IN, A.sign())


class TestKeySet:
    @pytest.mark.parametrize(
        "answer",
        [padded(MAX_BYTES), as_a_page],
        ids=["of 256 KiB", "called a page"],
    )
    async def test_is_taken(self, server: KeySetServer, answer: Answer) -> None:
        server.answer = answer
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN

    async def test_may_hold_two_keys_of_one_kid(self, server: KeySetServer) -> None:
        twin, other = IssuerKey("a"), rsa_key("a")
        server.published = [A, twin, other, A]
        async with door_to(server) as door:
            assert [await door.tells(key.sign()) for key in (A, twin, other)] == 3 * [LET_IN]
            assert await door.tells(FORGED) == REFUSED
        assert server.fetches == 1

    @pytest.mark.parametrize(
        "useless",
        [
            rsa_key("b", bits=1024),
            IssuerKey("b", more={"use": "enc"}),
            IssuerKey("b", more={"key_ops": ["sign"]}),
            IssuerKey("b", more={"alg": "RS256"}),
            IssuerKey("b", more={"x": "s3cret"}),
        ],
        ids=["weak", "to encrypt", "to sign", "another algorithm", "malformed"],
    )
    async def test_may_hold_keys_that_are_of_no_use(
        self, server: KeySetServer, useless: IssuerKey, warnings: Warnings
    ) -> None:
        server.published = [useless, A]
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            assert await door.tells(useless.sign()) == REFUSED
        assert warnings() == []

    async def test_is_read_beside_the_event_loop(self, server: KeySetServer) -> None:
        gate, threads = threading.Event(), ThreadPoolExecutor(max_workers=1)
        threads.submit(gate.wait, timeout=10)
        asyncio.get_running_loop().set_default_executor(threads)
        async with door_to(server, IMPATIENT) as door:
            assert await door.tells(A.sign(), left_s=1) == UNAVAILABLE
            gate.set()
            await door.comes_to_tell(LET_IN, A.sign())


class TestClosing:
    async def test_leaves_nothing_behind(self, server: KeySetServer, warnings: Warnings) -> None:
        before = asyncio.all_tasks()
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            await server.stop()
        assert asyncio.all_tasks() <= before
        assert warnings() == []

    async def test_leaves_nothing_behind_before_a_first_fetch(self, server: KeySetServer) -> None:
        before = asyncio.all_tasks()
        async with open_key_server(server.url, pace=CALM):
            pass
        assert asyncio.all_tasks() == before

    async def test_leaves_nothing_behind_in_the_middle_of_a_first_fetch(
        self, warnings: Warnings
    ) -> None:
        loop, before = asyncio.get_running_loop(), asyncio.all_tasks()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(0)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/keys"
            async with open_key_server(url, pace=CALM):
                connection, _ = await loop.sock_accept(listener)
                assert await loop.sock_recv(connection, 3) == b"GET"
            assert asyncio.all_tasks() == before
            connection.close()
        assert warnings() == []

    async def test_gives_up_what_a_token_asked_for(
        self, server: KeySetServer, warnings: Warnings
    ) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.released.clear()
            asking = asyncio.create_task(door.tells(B.sign()))
            await until(lambda: server.fetches == 2)
            asking.cancel()
        await until(lambda: server.abandoned == 1)
        assert warnings() == []
