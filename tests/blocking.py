"""Has every call that would hold up the service's event loop fail the test that leads to it."""

from collections.abc import Iterator
from traceback import format_stack

import blockbuster
import pytest

_ROOMS = ["domain", "application", "adapters", "entrypoints", "aiohttp", "livekit.api"]
_MAY_BLOCK = {
    "logging/__init__.py": "emit",  # the log to standard error: what waits in memory a crash loses
    "entrypoints/settings.py": "load_settings",  # before serving, or in a thread of its own
}
_NOTED: list[str] = []


class NotedBlockingError(blockbuster.BlockingError):
    """One that is known of even where whoever led to it catches all there is."""

    def __init__(self, func: str) -> None:
        super().__init__(func)
        _NOTED.append(f"{func} holds up the event loop:\n{''.join(format_stack()[-12:-2])}")


@pytest.fixture(scope="session", autouse=True)
def blocking_calls_fail() -> Iterator[None]:
    """Watch what the rooms do on an event loop, and libraries and doubles on their behalf."""
    with pytest.MonkeyPatch.context() as patch, blockbuster.blockbuster_ctx(_ROOMS) as watch:
        patch.setattr(blockbuster.blockbuster, "BlockingError", NotedBlockingError)
        for function in watch.functions.values():
            for file, name in _MAY_BLOCK.items():
                function.can_block_in(file, name)
        yield


@pytest.fixture(autouse=True)
def nothing_blocks() -> Iterator[None]:
    """Fail where a blocking call was caught, whatever became of its error."""
    yield
    noted, _NOTED[:] = _NOTED[:], []
    assert not noted, noted[0]
