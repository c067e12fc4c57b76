import asyncio

import pytest

from tests.adapters.identity.key_set_door import (
    FORGED,
    LET_IN,
    PERSISTENT,
    REFUSED,
    UNAVAILABLE,
    A,
    B,
    door_to,
    until,
)
from tests.adapters.identity.key_set_server import (
    IssuerKey,
    KeySetServer,
    renamed,
    rsa_key,
)

pytestmark = pytest.mark.campaign("key sets")


class TestUnknownKeys:
    async def test_are_learnt_by_one_fetch_for_all(self, server: KeySetServer) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.published = [A, B]
            answers = await asyncio.gather(*(door.tells(B.sign()) for _ in range(1000)))
            assert answers == 1000 * [LET_IN]
        assert server.fetches == 2

    async def test_cost_one_fetch_however_many_they_are(self, server: KeySetServer) -> None:
        tokens = [renamed(FORGED, f"kid-{number}") for number in range(10_000)]
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            assert {await door.tells(token) for token in tokens[:9000]} == {REFUSED}
            together = await asyncio.gather(*(door.tells(token) for token in tokens[9000:]))
            assert set(together) == {REFUSED}
        assert server.fetches == 2

    async def test_may_be_without_kid(self, server: KeySetServer) -> None:
        nameless = IssuerKey(None)
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.published = [A, nameless]
            assert await door.tells(nameless.sign()) == LET_IN
        assert server.fetches == 2

    async def test_may_share_a_kid_with_a_known_one_of_another_algorithm(
        self, server: KeySetServer
    ) -> None:
        other = rsa_key("a")
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.published = [A, other]
            assert await door.tells(other.sign()) == LET_IN

    async def test_are_unknown_by_their_kid_whoever_has_signed(self, server: KeySetServer) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            assert await door.tells(A.sign(kid="another")) == REFUSED
        assert server.fetches == 2

    async def test_are_asked_for_anew_if_published_during_a_fetch(
        self, server: KeySetServer
    ) -> None:
        server.released.clear()
        async with door_to(server) as door:
            await until(lambda: server.fetches == 1)
            server.published = [A, B]
            asking = asyncio.create_task(door.tells(B.sign()))
            await asyncio.sleep(0)
            server.released.set()
            assert await asking == LET_IN
        assert server.fetches == 2

    async def test_are_asked_for_again_after_a_while(self, server: KeySetServer) -> None:
        async with door_to(server, PERSISTENT) as door:
            assert await door.tells(A.sign()) == LET_IN
            assert await door.tells(B.sign()) == REFUSED
            server.published = [A, B]
            await door.comes_to_tell(LET_IN, B.sign())

    @pytest.mark.parametrize("goes", [0, 1], ids=["the first", "another"])
    async def test_are_learnt_though_one_who_asks_goes_away(
        self, server: KeySetServer, goes: int
    ) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.published = [A, B]
            server.released.clear()
            asking = [asyncio.create_task(door.tells(B.sign())) for _ in range(2)]
            await until(lambda: server.fetches == 2)
            asking.pop(goes).cancel()
            await asyncio.sleep(0)
            server.released.set()
            assert await asking[0] == LET_IN
        assert (server.fetches, server.abandoned) == (2, 0)

    async def test_are_learnt_though_the_one_who_asks_has_no_time(
        self, server: KeySetServer
    ) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.published = [A, B]
            server.released.clear()
            assert await door.tells(B.sign(), left_s=0.1) == UNAVAILABLE
            server.released.set()
            assert await door.tells(B.sign()) == LET_IN
        assert server.fetches == 2
