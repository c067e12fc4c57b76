"""Timeouts of the tests, which ``TEST_TIMEOUT_SCALE`` multiplies on a slow or busy machine."""

import os
import time
from collections.abc import Callable
from typing import Final

import pytest

SCALE: Final = float(os.environ.get("TEST_TIMEOUT_SCALE", "1"))
HOUR_S: Final = 3600.0
"""For every timeout that a test is not about: what it ends late also ends the test."""


def scaled(seconds: float) -> float:
    return seconds * SCALE


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait at most a minute until something holds that nothing signals."""
    deadline = time.monotonic() + scaled(60)
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def scale_timeout(item: pytest.Item) -> None:
    """Scale the timeout of a test: its marker's, or the suite's unless the command line sets it.

    On uvloop it ends the process, since a signal does not end what waits there.
    """
    own = item.get_closest_marker("timeout")
    seconds: list[float] = []
    if own or item.config.getoption("timeout") is None:
        seconds = [scaled(float(own.args[0] if own else item.config.getini("timeout")))]
    method = {"method": "thread"} if "uvloop" in item.name else {}
    if seconds or method:
        item.add_marker(pytest.mark.timeout(*seconds, **method), append=False)
