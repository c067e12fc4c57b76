import asyncio
from typing import Any

import pytest

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from adapters.in_memory.rooms import InMemoryRooms
from application.ports.room_gateway import RoomGatewayRefusedError, RoomGatewayUnavailableError
from application.room_access import RoomAccess
from domain.caller import AnonymousCaller, IdentifiedCaller, TenantId
from domain.room import RoomName, RoomNotFoundError, RoomNotFoundReason
from tests.application.recording_gateway import RecordingGateway

TENANT_A = IdentifiedCaller(id=TenantId("tenant-a"))
ROOM = RoomName("room")


def now() -> float:
    return asyncio.get_running_loop().time()


class TestRoomAccess:
    async def test_lets_a_tenant_enter_its_own_rooms_only(self) -> None:
        rooms = InMemoryRooms(remote_unmute=True)
        rooms.put_room(ROOM, metadata='{"auth_id": "tenant-b"}')
        rooms.put_room(RoomName("unowned"))
        rooms.put_room(RoomName("own"), metadata='{"auth_id": "tenant-a"}')
        access = RoomAccess(gateway=InMemoryRoomGateway(rooms), timeout_s=3600)
        await access.enter(TENANT_A, RoomName("own"))
        reasons = []
        for name in (ROOM, RoomName("unowned"), RoomName("missing")):
            with pytest.raises(RoomNotFoundError) as refusal:
                await access.enter(TENANT_A, name)
            reasons.append(refusal.value.reason)
        assert reasons == [
            RoomNotFoundReason.FOREIGN,
            RoomNotFoundReason.UNOWNED,
            RoomNotFoundReason.MISSING,
        ]

    async def test_reads_no_room_for_an_anonymous_caller(self) -> None:
        gateway = RecordingGateway()
        access = RoomAccess(gateway=gateway, timeout_s=3600)
        assert not (await access.enter(AnonymousCaller(), ROOM)).room_was_read
        assert gateway.calls == []
        assert (await access.enter(TENANT_A, ROOM)).room_was_read
        assert [name for name, _ in gateway.calls] == ["get_room"]

    async def test_lets_nobody_in_who_is_no_caller_as_a_program_without_types_may_pass(
        self,
    ) -> None:
        nobody: Any = None
        with pytest.raises(AttributeError):
            await RoomAccess(gateway=RecordingGateway()).enter(nobody, ROOM)

    async def test_returns_the_deadline_that_it_gave_the_gateway(self) -> None:
        gateway = RecordingGateway()
        access = RoomAccess(gateway=gateway, timeout_s=3600)
        before = now()
        tightened = (await access.enter(TENANT_A, ROOM)).deadline
        assert before + 3600 <= tightened <= now() + 3600
        sooner = now() + 60
        for caller in (TENANT_A, AnonymousCaller()):
            assert (await access.enter(caller, ROOM, deadline=sooner)).deadline == sooner
        assert gateway.calls == [("get_room", tightened), ("get_room", sooner)]

    async def test_limits_the_time_of_a_verification(self) -> None:
        gateway = RecordingGateway()
        access = RoomAccess(gateway=gateway, timeout_s=3600)
        before = now()
        await access.verify()
        await access.verify(deadline=before + 60)
        (_, tightened), (_, sooner) = gateway.calls
        assert before + 3600 <= tightened <= now() + 3600
        assert sooner == before + 60

    async def test_passes_on_why_access_could_not_be_verified(self) -> None:
        rooms = InMemoryRooms(remote_unmute=True)
        access = RoomAccess(gateway=InMemoryRoomGateway(rooms), timeout_s=3600)
        await access.verify()
        rooms.fail_next(RoomGatewayRefusedError(reason="arranged"))
        with pytest.raises(RoomGatewayRefusedError):
            await access.verify()
        with pytest.raises(RoomGatewayUnavailableError):
            await access.verify(deadline=0)
