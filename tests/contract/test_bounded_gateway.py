"""The suite's limit on each call of a gateway."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import pytest
from typing_extensions import override

from application.ports.room_gateway import RoomGateway
from contract.room_gateway.bounded_gateway import BoundedGateway
from contract.rooms import ALICE, NO_TRACK
from domain.room import RoomName
from domain.track import Participant, TrackSid
from tests.support.virtual_time import now, run_in_virtual_time

ROOM = RoomName("room")
DEADLINE = 60.0
CALLS: dict[str, Callable[[RoomGateway, float], Awaitable[object]]] = {
    "get_room": lambda gateway, deadline: gateway.get_room(ROOM, deadline=deadline),
    "mute_track": lambda gateway, deadline: gateway.mute_track(
        Participant(room=ROOM, identity=ALICE),
        NO_TRACK,
        muted=True,
        room_was_read=False,
        deadline=deadline,
    ),
    "list_participants": lambda gateway, deadline: gateway.list_participants(
        ROOM, deadline=deadline
    ),
    "verify_access": lambda gateway, deadline: gateway.verify_access(deadline=deadline),
}


class HangingGateway(RoomGateway):
    @override
    async def get_room(self, name: RoomName, *, deadline: float) -> NoReturn:
        await hang()

    @override
    async def mute_track(
        self,
        participant: Participant,
        track_sid: TrackSid,
        *,
        muted: bool,
        room_was_read: bool,
        deadline: float,
    ) -> NoReturn:
        await hang()

    @override
    async def list_participants(self, room: RoomName, *, deadline: float) -> NoReturn:
        await hang()

    @override
    async def verify_access(self, *, deadline: float) -> NoReturn:
        await hang()


async def hang() -> NoReturn:
    await asyncio.sleep(3600)
    raise AssertionError("nobody has limited this call")


async def end_of(call: str, deadline: float) -> tuple[float, str]:
    with pytest.raises(pytest.fail.Exception) as caught:
        await CALLS[call](BoundedGateway(HangingGateway()), deadline)
    return now(), str(caught.value)


class TestBoundedGateway:
    @pytest.mark.parametrize("call", CALLS)
    @pytest.mark.parametrize(
        ("deadline", "end"), [(DEADLINE, DEADLINE + 5), (-3600.0, 5.0)], ids=["later", "past"]
    )
    def test_ends_each_call_soon_after_its_deadline(
        self, call: str, deadline: float, end: float
    ) -> None:
        ended_at, text = run_in_virtual_time(end_of(call, deadline))
        assert ended_at == pytest.approx(end)
        assert text.startswith(f"{call}() has not ended 5 s after its deadline: it waits in ")
        assert f"{HangingGateway.__name__}.{call} (tests/contract/" in text
