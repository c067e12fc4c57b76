"""The room gateway's suite is itself put to the test: whatever it says no to, it says no to."""

import inspect
from collections.abc import Awaitable, Callable

import pytest

from adapters.in_memory.rooms import InMemoryRooms
from application.ports.room_gateway import RoomGatewayError
from contract.room_gateway import WITHOUT_REMOTE_UNMUTE, RoomGatewayContract
from domain.room import NotFoundError
from tests.contract.saboteurs import of_calls, of_participants, of_rooms, of_tracks
from tests.contract.saboteurs.base import Sabotage, Saboteur
from tests.rooms import arranged

Clause = Callable[..., Awaitable[None]]

CLAUSES: dict[str, Clause] = {
    (test.__doc__ or "").partition(" ")[0]: test
    for name, test in vars(RoomGatewayContract).items()
    if name.startswith("test_")
}
SABOTEURS = [
    *of_rooms.SABOTEURS,
    *of_tracks.SABOTEURS,
    *of_participants.SABOTEURS,
    *of_calls.SABOTEURS,
]
FAILURES = (AssertionError, pytest.fail.Exception, RoomGatewayError, NotFoundError)


async def run(number: str, make: Callable[[InMemoryRooms], Saboteur]) -> None:
    clause = CLAUSES[number]
    marks = getattr(clause, "pytestmark", [])
    rooms = InMemoryRooms(remote_unmute=WITHOUT_REMOTE_UNMUTE.mark not in marks)
    await clause(RoomGatewayContract(), gateway=make(rooms), rooms=arranged.in_memory(rooms))


class TestRoomGatewayContract:
    @pytest.mark.parametrize(
        ("sabotage", "number"),
        [
            pytest.param(sabotage, number, id=f"{number}-{sabotage.name}")
            for sabotage in SABOTEURS
            for number in sabotage.clauses
        ],
    )
    async def test_fails_a_saboteur(self, sabotage: Sabotage, number: str) -> None:
        with pytest.raises(FAILURES):
            await run(number, sabotage.make)

    @pytest.mark.parametrize("number", CLAUSES)
    async def test_passes_whoever_is_honest(self, number: str) -> None:
        await run(number, Saboteur)

    def test_has_a_saboteur_for_each_clause(self) -> None:
        assert {number for each in SABOTEURS for number in each.clauses} == set(CLAUSES)

    def test_numbers_its_clauses_in_order(self) -> None:
        numbers = [tuple(map(int, number.split("."))) for number in CLAUSES]
        assert numbers == sorted(set(numbers))

    @pytest.mark.parametrize("number", CLAUSES)
    def test_says_each_clause_in_one_sentence(self, number: str) -> None:
        assert (CLAUSES[number].__doc__ or "").count(". ") == 0
        assert (CLAUSES[number].__doc__ or "").endswith(".")

    @pytest.mark.parametrize("number", CLAUSES)
    def test_lets_nobody_override_a_clause(self, number: str) -> None:
        assert getattr(CLAUSES[number], "__final__", False)
        assert inspect.iscoroutinefunction(CLAUSES[number])
