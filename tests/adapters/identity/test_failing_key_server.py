import asyncio

import pytest

from adapters.identity.key_server import Pace
from tests.adapters.identity.key_set_door import (
    BRISK,
    FORGED,
    IMPATIENT,
    LET_IN,
    PERSISTENT,
    REFUSED,
    UNAVAILABLE,
    A,
    B,
    Warnings,
    door_to,
    until,
)
from tests.adapters.identity.key_set_server import (
    FAILING,
    Answer,
    KeySetServer,
    as_it_is,
    drip,
)

pytestmark = pytest.mark.campaign("key sets")


class TestFailingKeyServer:
    @pytest.mark.parametrize(("told", "failing"), FAILING.values(), ids=FAILING.keys())
    async def test_takes_no_known_keys_and_brings_no_others(
        self, server: KeySetServer, told: str, failing: Answer, warnings: Warnings
    ) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.published, server.elsewhere, server.answer = [A, B], [B], failing
            assert [await door.tells(B.sign()) for _ in range(3)] == 3 * [UNAVAILABLE]
            assert await door.tells(A.sign()) == LET_IN
            assert await door.tells(FORGED) == REFUSED
        assert server.asked == {"/keys": 2}
        assert warnings() == [f"the keys of the issuer were not renewed: the key server {told}"]

    @pytest.mark.parametrize(("told", "failing"), FAILING.values(), ids=FAILING.keys())
    async def test_lets_nobody_in_and_is_asked_again_until_it_recovers(
        self, server: KeySetServer, told: str, failing: Answer, warnings: Warnings
    ) -> None:
        server.answer = failing
        async with door_to(server, PERSISTENT) as door:
            await until(lambda: len(warnings()) >= 2)
            assert all(warning.endswith(told) for warning in warnings())
            assert await door.tells(A.sign(), left_s=1) == UNAVAILABLE
            server.answer = as_it_is
            await door.comes_to_tell(LET_IN, A.sign())
            await door.comes_to_tell(REFUSED, B.sign())
        assert warnings()[-1] == "the key server answers again"

    async def test_is_not_asked_by_tokens_right_after_it_recovered(
        self, server: KeySetServer
    ) -> None:
        _, server.answer = FAILING["an error"]
        pace = Pace(renew_after_s=3600, retry_after_s=1.5, keep_for_s=1e6, timeout_s=60)
        async with door_to(server, pace) as door:
            await until(lambda: server.fetches == 1)
            server.answer = as_it_is
            await door.comes_to_tell(LET_IN, A.sign())
            assert await door.tells(B.sign()) == REFUSED
        assert server.fetches == 2

    async def test_is_asked_again_by_itself_after_it_failed_a_token(
        self, server: KeySetServer
    ) -> None:
        async with door_to(server, PERSISTENT) as door:
            assert await door.tells(A.sign()) == LET_IN
            _, server.answer = FAILING["an error"]
            assert await door.tells(B.sign(), left_s=1) == UNAVAILABLE
            server.answer, fetches = as_it_is, server.fetches
            await until(lambda: server.fetches > fetches)

    async def test_is_not_believed_where_it_answers_unasked(self, server: KeySetServer) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.answer_unasked(B)
            await asyncio.sleep(0.05)
            assert await door.tells(B.sign()) == UNAVAILABLE

    async def test_is_not_asked_by_tokens_for_a_while(self, server: KeySetServer) -> None:
        _, server.answer = FAILING["an error"]
        async with door_to(server) as door:
            assert {await door.tells(A.sign()) for _ in range(10)} == {UNAVAILABLE}
        assert server.fetches == 1

    async def test_is_asked_again_while_keys_are_known(self, server: KeySetServer) -> None:
        async with door_to(server, BRISK) as door:
            assert await door.tells(A.sign()) == LET_IN
            await server.stop()
            assert await door.tells(B.sign(), left_s=1) == UNAVAILABLE
            assert await door.tells(A.sign()) == LET_IN
            server.published = [B]
            await server.start()
            await door.comes_to_tell(LET_IN, B.sign())
            await door.comes_to_tell(REFUSED, A.sign())


class TestSlowKeyServer:
    @pytest.mark.parametrize("hanging", [True, False], ids=["hangs", "drips"])
    async def test_is_waited_for_no_longer_than_its_time(
        self, server: KeySetServer, warnings: Warnings, hanging: bool
    ) -> None:
        async with door_to(server, IMPATIENT) as door:
            await door.comes_to_tell(LET_IN, A.sign())
            server.published, server.answer = [A, B], drip
            if hanging:
                server.released.clear()
            assert await door.tells(B.sign(), left_s=3600) == UNAVAILABLE
            assert await door.tells(A.sign()) == LET_IN
            assert warnings()[-1].endswith("the key server did not answer in time")
            await until(lambda: server.abandoned > 0)
            server.answer = as_it_is
            server.released.set()
            await door.comes_to_tell(LET_IN, B.sign())

    async def test_is_waited_for_no_longer_than_the_request_may(self, server: KeySetServer) -> None:
        server.released.clear()
        async with door_to(server) as door:
            assert await door.tells(A.sign(), left_s=0.05) == UNAVAILABLE
            server.released.set()
            assert await door.tells(A.sign()) == LET_IN
        assert server.fetches == 1

    async def test_costs_those_with_known_keys_nothing(self, server: KeySetServer) -> None:
        async with door_to(server) as door:
            assert await door.tells(A.sign()) == LET_IN
            server.released.clear()
            asking = asyncio.create_task(door.tells(B.sign()))
            await until(lambda: server.fetches == 2)
            assert [await door.tells(one, left_s=0) for one in (A.sign(), FORGED)] == [
                LET_IN,
                REFUSED,
            ]
            assert not asking.done()
            server.released.set()
            assert await asking == REFUSED
