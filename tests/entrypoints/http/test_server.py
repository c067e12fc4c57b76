import asyncio

import pytest
from attrs import define, field
from typing_extensions import override

from application.ports.room_gateway import RoomGateway
from domain.room import Room, RoomName
from domain.track import Participant, Track, TrackSid
from entrypoints.http.limits import Limits
from tests.entrypoints.http.conftest import Serve
from tests.service import Answer, Service


@define(eq=False)
class HeldGateway(RoomGateway):
    """Holds every mute until it is released."""

    arrived: asyncio.Semaphore = field(init=False, factory=lambda: asyncio.Semaphore(0))
    released: asyncio.Event = field(init=False, factory=asyncio.Event)

    @override
    async def get_room(self, name: RoomName) -> Room:
        raise NotImplementedError

    @override
    async def mute_track(
        self, participant: Participant, track_sid: TrackSid, *, muted: bool
    ) -> Track:
        self.arrived.release()
        await self.released.wait()
        return Track(sid=track_sid, muted=muted)

    @override
    async def verify_access(self) -> None:
        pass


@pytest.fixture
def held() -> HeldGateway:
    return HeldGateway()


async def begin_mute(service: Service, held: HeldGateway) -> asyncio.Task[Answer]:
    task = asyncio.create_task(service.mute())
    await held.arrived.acquire()
    return task


class TestInFlight:
    async def test_is_bounded(self, serve: Serve, held: HeldGateway) -> None:
        service = await serve(other_gateway=held, limits=Limits(max_in_flight=2, leaving_s=0))
        first = [await begin_mute(service, held) for _ in range(2)]
        refused = await service.mute()
        assert refused.told == (503, "OVERLOADED")
        assert refused.headers["Retry-After"] == "1"
        assert (await service.ask("GET", "/nope")).told == (503, "OVERLOADED")
        held.released.set()
        assert [(await task).status for task in first] == [200, 200]
        assert (await service.mute()).status == 200

    async def test_forgets_requests_whose_client_has_gone(
        self, serve: Serve, held: HeldGateway
    ) -> None:
        service = await serve(other_gateway=held, limits=Limits(max_in_flight=1, leaving_s=0))
        task = await begin_mute(service, held)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        held.released.set()
        await asyncio.sleep(0.05)
        assert service.events[-1]["muted"] is True
        assert (await service.mute()).status == 200


class TestLeaving:
    async def test_serves_on_but_closes_connections_and_is_not_ready(self, serve: Serve) -> None:
        service = await serve()
        before = await service.ask("GET", "/livez")
        service.traffic.leaving = True
        ready, mute = await service.ask("GET", "/readyz"), await service.mute()
        assert "Connection" not in before.headers
        assert ready.told == (503, "NOT_READY")
        assert mute.status == 200
        assert ready.headers["Connection"] == mute.headers["Connection"] == "close"

    async def test_waits_for_what_is_in_flight(self, serve: Serve, held: HeldGateway) -> None:
        service = await serve(other_gateway=held)
        task = await begin_mute(service, held)
        drained = asyncio.create_task(service.traffic.drain(10))
        await asyncio.sleep(0.05)
        assert not drained.done()
        held.released.set()
        await drained
        assert (await task).status == 200

    async def test_tells_what_takes_too_long_to_try_again(
        self, serve: Serve, held: HeldGateway
    ) -> None:
        service = await serve(other_gateway=held)
        task = await begin_mute(service, held)
        await service.traffic.drain(0.05)
        assert (await task).told == (503, "OVERLOADED")
        assert service.events[-1]["muted_wanted"] is True
        assert (await service.mute()).told == (503, "OVERLOADED")
