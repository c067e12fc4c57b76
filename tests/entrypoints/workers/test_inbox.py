"""When a worker tells its numbers."""

import asyncio
import faulthandler

import pytest
import uvloop

from entrypoints.container import Container
from entrypoints.metrics.totals import unpacked
from entrypoints.observability import observe
from entrypoints.settings.settings import load_settings
from entrypoints.workers.asked_totals import AskedTotals
from entrypoints.workers.channel import Numbers, Report
from entrypoints.workers.inbox import Inbox
from entrypoints.workers.seat import Seat
from tests.entrypoints.test_logs import restored as restored  # noqa: PLC0414 - a fixture
from tests.entrypoints.workers.seats import seat

pytestmark = pytest.mark.usefixtures("restored")
SECONDS = "livekit_mute_request_seconds"


def test_a_worker_counts_the_requests_that_have_a_response_before_it_tells_its_numbers() -> None:
    """They are observed a turn of the event loop after the response."""
    place = seat(1, load_settings({"METRICS_PORT": "0"}))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        numbers = runner.run(_numbers(place))
    place.own_end.close()
    place.close()
    assert numbers.question == 1
    values = unpacked(numbers.packed)[SECONDS].values
    assert values[f"{SECONDS}_count", (("path", "/livez"), ("code", "OK"))] == 1


async def _numbers(place: Seat) -> Numbers:
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    container = Container(settings=place.settings)
    seen = observe(container)
    inbox = Inbox(
        seat=place,
        notify=lambda: None,
        container=container,
        seen=seen,
        totals=AskedTotals(place.own_end, seen.registry),
        stop=asyncio.Event(),
    )
    async with inbox.open(), asyncio.timeout(60):
        place.other_end.send(Report(1))
        loop.call_soon(seen.metrics.requests.add, [(("/livez", "OK"), 0.1)])
        loop.add_reader(place.other_end.fileno(), told.set)
        await told.wait()
        loop.remove_reader(place.other_end.fileno())
    faulthandler.cancel_dump_traceback_later()
    message = place.other_end.receive()
    assert isinstance(message, Numbers)
    return message
