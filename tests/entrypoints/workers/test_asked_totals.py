"""Which of the supervisor's answers a worker takes."""

import asyncio
from collections.abc import Iterator

import pytest

from entrypoints.metrics.families import Registry
from entrypoints.metrics.totals import Family, Snapshot
from entrypoints.workers.asked_totals import AskedTotals
from entrypoints.workers.channel import Ask, Channel


def snapshot(value: float) -> Snapshot:
    return {"name": Family(help="", type="gauge", values={("name", ()): value})}


@pytest.fixture
def supervisor() -> Iterator[tuple[Channel, AskedTotals]]:
    own, other = Channel.pair()
    yield other, AskedTotals(own, Registry())
    own.close()
    other.close()


def question(supervisor: Channel) -> int:
    message = supervisor.receive()
    assert isinstance(message, Ask)
    return message.question


async def test_an_answer_that_comes_too_late_is_not_taken_for_the_next(
    supervisor: tuple[Channel, AskedTotals],
) -> None:
    channel, totals = supervisor
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await totals.ask()
    asking = asyncio.create_task(totals.ask())
    await asyncio.sleep(0)
    totals.answer(question(channel), snapshot(1))
    totals.answer(question(channel), snapshot(2))
    await asking
    assert b"name 2.0" in totals.written()
