"""Fails every test in which the service blocks its event loop."""

from collections.abc import Iterator
from traceback import format_stack

import blockbuster
import pytest

_PACKAGES = ["domain", "application", "adapters", "entrypoints", "aiohttp", "livekit.api"]
_MAY_BLOCK = {
    "logging/__init__.py": ["emit"],  # writes to standard error; a crash would lose a buffer
    "entrypoints/audit_log.py": ["write"],  # an event that waits in memory would be lost in a crash
    "entrypoints/workers/channel.py": ["send", "receive"],  # files in memory
    "prometheus_client/process_collector.py": ["collect"],  # reads /proc
    "entrypoints/settings/settings.py": ["load_settings"],  # runs before serving, or in a thread
}
_BLOCKING_CALLS: list[str] = []


class RecordedBlockingError(blockbuster.BlockingError):
    """A blocking call that is recorded even where its error is caught."""

    def __init__(self, func: str) -> None:
        super().__init__(func)
        _BLOCKING_CALLS.append(f"{func} blocks the event loop:\n{''.join(format_stack()[-12:-2])}")


@pytest.fixture(scope="session", autouse=True)
def blocking_calls_fail() -> Iterator[None]:
    """Detect blocking calls of our packages, and of the libraries that they call."""
    with pytest.MonkeyPatch.context() as patch, blockbuster.blockbuster_ctx(_PACKAGES) as watch:
        patch.setattr(blockbuster.blockbuster, "BlockingError", RecordedBlockingError)
        for function in watch.functions.values():
            for file, names in _MAY_BLOCK.items():
                function.can_block_in(file, names)
        yield


@pytest.fixture(autouse=True)
def nothing_blocks() -> Iterator[None]:
    """Fail the test if a blocking call was recorded, even if its error was caught."""
    yield
    calls, _BLOCKING_CALLS[:] = _BLOCKING_CALLS[:], []
    assert not calls, calls[0]
