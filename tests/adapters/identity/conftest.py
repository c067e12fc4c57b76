import logging
from collections.abc import AsyncIterator

import pytest

from tests.adapters.identity.key_set_door import A, Warnings
from tests.adapters.identity.key_set_server import (
    KeySetServer,
    key_set_server,
)


@pytest.fixture
async def server() -> AsyncIterator[KeySetServer]:
    async with key_set_server(A) as running:
        yield running


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Warnings:
    """What was logged, of whatever name, that an operator should see."""
    return lambda: [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
