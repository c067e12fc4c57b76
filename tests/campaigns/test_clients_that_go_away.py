"""Clients that go away at six points of a request, in three ways each."""

import asyncio
from random import Random

import pytest
from attrs import frozen

from tests.campaigns.figures import Figures, Length
from tests.campaigns.leaving import MICROPHONE, REQUEST, TOKEN, WAYS, Gate, Leave, Scene, scene
from tests.service import parse_answers

pytestmark = pytest.mark.campaign("client goes away")

HEAD_SIZE = REQUEST.index(b"\r\n\r\n")
TOLD_ALL = {"ListRooms": 1, "MutePublishedTrack": 1}
SEED = 20261121
AT_ONCE = 20
LONGEST_S = 0.01


@frozen
class Point:
    """How far a request is when its client leaves."""

    sent: bytes = REQUEST
    held: str = ""
    """Who is being asked then."""

    @property
    def is_whole(self) -> bool:
        return self.sent == REQUEST

    @property
    def is_known(self) -> bool:
        """Whether its headers are complete, so that it is a request."""
        return len(self.sent) > HEAD_SIZE + 4


POINTS = {
    "after connecting": Point(b""),
    "in the headers": Point(REQUEST[: HEAD_SIZE // 2]),
    "in the body": Point(REQUEST[:-5]),
    "while the authentication service is asked": Point(held="auth"),
    "while LiveKit is asked for the room": Point(held="ListRooms"),
    "while LiveKit is asked to mute": Point(held="MutePublishedTrack"),
}


async def is_well(scene: Scene, log: pytest.LogCaptureFixture) -> None:
    """Hold the service to its next answer: there is room for one request, and nobody is in it."""
    scene.double.calls.clear()
    answer = await scene.service.mute(token=TOKEN, muted=False)
    assert (answer.status, answer.json["muted"], scene.is_muted) == (200, False, False)
    assert scene.double.calls == TOLD_ALL
    assert not log.records
    assert not [event for event in scene.service.events if "stack" in event]


def told_of(scene: Scene) -> list[tuple[str, object]]:
    return [(event["code"], event.get("muted")) for event in scene.service.events]


class TestAClientThatLeaves:
    @pytest.mark.parametrize("leave", WAYS.values(), ids=WAYS.keys())
    @pytest.mark.parametrize("point", POINTS.values(), ids=POINTS.keys())
    async def test_leaves_nothing_but_the_truth_in_the_audit_record(
        self, point: Point, leave: Leave, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with scene(Gate()) as here:
            await is_well(here, caplog)
            here.double.calls.clear()
            here.gate.shut = point.held
            before, tasks = len(here.service.events), len(asyncio.all_tasks())
            await self._ask_and_leave(here, point, leave)
            await here.comes_to(lambda: len(here.service.events) == before + point.is_known)
            if point.is_whole:
                assert told_of(here)[before:] == [("OK", True)]
                assert here.service.events[-1]["track"] == MICROPHONE
                assert here.double.calls == TOLD_ALL
            elif point.is_known:
                assert told_of(here)[before:] == [("INVALID_REQUEST", None)]
                assert here.service.events[-1]["reason"] == "the client broke off"
            assert here.is_muted is point.is_whole
            assert bool(here.double.calls) is point.is_whole
            await is_well(here, caplog)
            await here.comes_to(lambda: len(asyncio.all_tasks()) <= tasks)

    async def _ask_and_leave(self, here: Scene, point: Point, leave: Leave) -> None:
        reader, writer = await asyncio.open_connection(here.service.url.host, here.service.url.port)
        writer.write(point.sent)
        await writer.drain()
        await (here.gate.arrived.wait() if point.held else asyncio.sleep(0.02))
        leaving = asyncio.create_task(leave(reader, writer))
        await asyncio.sleep(0.02)
        here.gate.opened.set()
        answers = [answer.status for answer in parse_answers(await leaving)]
        hears = leave is WAYS["half-closing"] and point.is_whole
        assert answers == ([200] if hears else [])


class TestManyClients:
    async def test_may_leave_at_any_moment(
        self, length: Length, figures: Figures, caplog: pytest.LogCaptureFixture
    ) -> None:
        random, clients = Random(SEED), length(short=100, full=5000)  # noqa: S311 - no secret
        figures.note("seed", SEED)
        at_once = asyncio.Semaphore(AT_ONCE)
        async with scene(Gate(delay_s=LONGEST_S / 5), at_once=2 * AT_ONCE) as here:

            async def come_and_go(leave: Leave, size: int, stay_s: float) -> None:
                async with at_once:
                    where = here.service.url
                    reader, writer = await asyncio.open_connection(where.host, where.port)
                    writer.write(REQUEST[:size])
                    await asyncio.sleep(stay_s)
                    await leave(reader, writer)

            moments = [
                (
                    random.choice(list(WAYS.values())),
                    random.choice([len(REQUEST), random.randrange(len(REQUEST))]),
                    random.uniform(0, LONGEST_S),
                )
                for _ in range(clients)
            ]
            tasks = len(asyncio.all_tasks())
            await asyncio.gather(*(come_and_go(*moment) for moment in moments))
            await here.comes_to(lambda: len(asyncio.all_tasks()) <= tasks + 3 * AT_ONCE)
            await asyncio.sleep(0.1)
            carried_out = [event for event in here.service.events if event.get("muted")]
            assert here.double.calls["MutePublishedTrack"] == len(carried_out)
            assert {code for code, _ in told_of(here)} <= {"OK", "INVALID_REQUEST"}
            figures.note("clients that left", clients)
            figures.at_least("requests carried out all the same", len(carried_out), clients / 10)
            await is_well(here, caplog)
