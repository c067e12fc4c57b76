import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from tests.adapters.identity.cases.key_set_server import KeySetServer, key_set_server
from tests.adapters.identity.cases.token_checker import A, Warnings
from tests.support.movable_clock import MovableClockLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"movable clock": MovableClockLoop}


@pytest.fixture
async def server() -> AsyncIterator[KeySetServer]:
    async with key_set_server(A) as running:
        yield running


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Warnings:
    """Events logged as warnings or worse, each with its reason."""
    return lambda: [
        (record.getMessage(), getattr(record, "reason", None))
        for record in caplog.records
        if record.levelno >= logging.WARNING
    ]
