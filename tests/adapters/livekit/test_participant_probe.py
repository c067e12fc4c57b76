"""Probes are bounded in number and in time; in virtual time."""

import asyncio

from adapters.livekit.participant_probe import Finding, ParticipantProbe, Presence, Unknown
from domain.room import RoomName
from domain.track import Track
from tests.adapters.livekit.canned import ALICE
from tests.support.virtual_time import now, run_in_virtual_time

MAX_PROBES = 64
HOUR_S = 3600.0


class HangingLiveKit:
    """Answers no GetParticipant until it is released, and finds no room."""

    def __init__(self) -> None:
        self.probes = 0
        self.released = asyncio.Event()

    async def get_participant(self, _participant: object, _deadline: float) -> object:
        self.probes += 1
        return await self.released.wait()

    async def find_room(self, _name: RoomName, _deadline: float) -> object | None:
        return None

    def probe(self) -> ParticipantProbe:
        return ParticipantProbe(get_participant=self.get_participant, find_room=self.find_room)


def find(
    probe: ParticipantProbe, deadline: float = HOUR_S, room_probe_at: float | None = None
) -> "asyncio.Task[Finding]":
    mute = asyncio.Future[Track]()
    return asyncio.create_task(
        probe.find(ALICE, mute, room_probe_at=room_probe_at, deadline=deadline)
    )


class TestParticipantProbe:
    def test_is_one_of_64_at_once_at_most(self) -> None:
        async def run() -> None:
            livekit = HangingLiveKit()
            probe = livekit.probe()
            finds = [find(probe) for _ in range(MAX_PROBES + 5)]
            await asyncio.sleep(1)
            assert livekit.probes == MAX_PROBES
            finds[0].cancel()
            await asyncio.sleep(1)
            assert livekit.probes == MAX_PROBES + 1
            livekit.released.set()
            assert set(await asyncio.gather(*finds[1:])) == {Presence.PRESENT}
            assert now() == 2

        run_in_virtual_time(run())

    def test_ends_by_its_deadline_though_others_hang(self) -> None:
        async def run() -> None:
            probe = HangingLiveKit().probe()
            hanging = [find(probe) for _ in range(MAX_PROBES)]
            await asyncio.sleep(1)
            assert await find(probe, deadline=5) == Unknown("no answer before the deadline")
            assert now() == 5
            assert not any(each.done() for each in hanging)
            for each in hanging:
                each.cancel()

        run_in_virtual_time(run())

    def test_finds_no_room_though_others_hang(self) -> None:
        async def run() -> None:
            livekit = HangingLiveKit()
            probe = livekit.probe()
            finds = [find(probe, room_probe_at=1) for _ in range(3 * MAX_PROBES)]
            assert set(await asyncio.gather(*finds)) == {Presence.ABSENT}
            assert (now(), livekit.probes) == (1.1, MAX_PROBES)

        run_in_virtual_time(run())
