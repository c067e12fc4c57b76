"""The room gateway's suite is tested itself: it fails gateways that break its promises."""

import inspect
from collections.abc import Awaitable, Callable

import pytest

from application.ports.room_gateway import RoomGatewayError
from contract.room_gateway import WITHOUT_REMOTE_UNMUTE, RoomGatewayContract
from domain.room import NotFoundError
from tests.contract.broken_gateways import (
    of_calls,
    of_denials,
    of_participants,
    of_rooms,
    of_tracks,
)
from tests.contract.broken_gateways.base import BrokenGateway
from tests.support.rooms import arranged
from tests.support.rooms.arranged import DeniableRooms

Clause = Callable[..., Awaitable[None]]

CLAUSES: dict[str, Clause] = {
    (test.__doc__ or "").partition(" ")[0]: test
    for name, test in vars(RoomGatewayContract).items()
    if name.startswith("test_")
}
BREAKAGES = [
    *of_rooms.BROKEN_GATEWAYS,
    *of_tracks.BROKEN_GATEWAYS,
    *of_participants.BROKEN_GATEWAYS,
    *of_denials.BROKEN_GATEWAYS,
    *of_calls.BROKEN_GATEWAYS,
]
FAILURES = (AssertionError, pytest.fail.Exception, RoomGatewayError, NotFoundError)


async def run(number: str, make: Callable[[DeniableRooms], BrokenGateway]) -> None:
    clause = CLAUSES[number]
    marks = getattr(clause, "pytestmark", [])
    rooms = DeniableRooms(remote_unmute=WITHOUT_REMOTE_UNMUTE.mark not in marks)
    await clause(RoomGatewayContract(), gateway=make(rooms), rooms=arranged.in_memory(rooms))


class TestRoomGatewayContract:
    @pytest.mark.parametrize("number", CLAUSES)
    async def test_passes_a_correct_gateway(self, number: str) -> None:
        await run(number, BrokenGateway)

    @pytest.mark.parametrize("number", CLAUSES)
    async def test_fails_each_gateway_that_breaks_it(self, number: str) -> None:
        breakages = [each for each in BREAKAGES if number in each.clauses]
        passed = []
        for breakage in breakages:
            try:
                await run(number, breakage.make)
            except FAILURES:
                continue
            passed.append(breakage.name)
        assert breakages
        assert not passed

    def test_has_a_clause_for_each_broken_gateway(self) -> None:
        assert {number for each in BREAKAGES for number in each.clauses} <= set(CLAUSES)

    def test_numbers_its_clauses_in_order(self) -> None:
        numbers = [tuple(map(int, number.split("."))) for number in CLAUSES]
        assert numbers == sorted(set(numbers))

    def test_says_each_clause_in_one_sentence(self) -> None:
        texts = [clause.__doc__ or "" for clause in CLAUSES.values()]
        assert [text for text in texts if ". " in text or not text.endswith(".")] == []

    def test_has_clauses_that_cannot_be_overridden(self) -> None:
        clauses = CLAUSES.items()
        assert [number for number, each in clauses if not getattr(each, "__final__", False)] == []
        assert [number for number, each in clauses if not inspect.iscoroutinefunction(each)] == []
