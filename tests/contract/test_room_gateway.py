"""The room gateway's suite is tested itself: it fails gateways that break its promises."""

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from attrs import frozen
from typing_extensions import override

from application.ports.room_gateway import RoomGateway, RoomGatewayError
from contract.room_gateway import RoomGatewayContract
from contract.rooms import Rooms
from domain.room import NotFoundError
from tests.contract.broken_gateways import (
    of_calls,
    of_denials,
    of_listings,
    of_participants,
    of_rooms,
    of_tracks,
)
from tests.contract.broken_gateways.base import BrokenGateway
from tests.support.clauses_table import CLAUSES, PAGE, with_clauses_table
from tests.support.rooms import arranged
from tests.support.rooms.arranged import DeniableRooms

BREAKAGES = [
    *of_rooms.BROKEN_GATEWAYS,
    *of_tracks.BROKEN_GATEWAYS,
    *of_participants.BROKEN_GATEWAYS,
    *of_denials.BROKEN_GATEWAYS,
    *of_calls.BROKEN_GATEWAYS,
    *of_listings.BROKEN_GATEWAYS,
]
FAILURES = (AssertionError, pytest.fail.Exception, RoomGatewayError, NotFoundError)


@frozen
class InMemoryContract(RoomGatewayContract):
    lag_s = 0.0  # what is in memory is listed at once
    make: Callable[[DeniableRooms], BrokenGateway]

    @override
    @asynccontextmanager
    async def open_gateway(
        self, *, remote_unmute: bool
    ) -> AsyncIterator[tuple[RoomGateway, Rooms]]:
        rooms = DeniableRooms(remote_unmute=remote_unmute)
        yield self.make(rooms), arranged.in_memory(rooms)


class PatientContract(InMemoryContract):
    lag_s = RoomGatewayContract.lag_s


class TestRoomGatewayContract:
    @pytest.mark.parametrize("number", CLAUSES)
    def test_passes_a_correct_gateway(self, number: str) -> None:
        CLAUSES[number](InMemoryContract(BrokenGateway))

    @pytest.mark.parametrize("number", CLAUSES)
    def test_waits_for_listings_that_lag(self, number: str) -> None:
        CLAUSES[number](PatientContract(of_listings.ListsWithALag))

    @pytest.mark.parametrize("number", CLAUSES)
    def test_fails_each_gateway_that_breaks_it(self, number: str) -> None:
        breakages = [each for each in BREAKAGES if number in each.clauses]
        passed = []
        for breakage in breakages:
            try:
                CLAUSES[number](InMemoryContract(breakage.make))
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

    def test_has_its_clauses_in_the_documentation(self) -> None:
        page = PAGE.read_text()
        assert with_clauses_table(page) == page, "run python -m tests.support.clauses_table"

    def test_has_clauses_that_cannot_be_overridden(self) -> None:
        clauses = CLAUSES.items()
        assert [number for number, each in clauses if not getattr(each, "__final__", False)] == []

    def test_has_clauses_that_need_no_plugin_to_run(self) -> None:
        clauses = CLAUSES.items()
        assert [number for number, each in clauses if inspect.iscoroutinefunction(each)] == []
