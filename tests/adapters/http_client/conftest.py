import asyncio
from collections.abc import Callable, Mapping

import uvloop

from tests.support.movable_clock import MovableClockLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run every test on both loops; what moves the clock has to name asyncio's."""
    return {"asyncio": MovableClockLoop, "uvloop": uvloop.new_event_loop}
