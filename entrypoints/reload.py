"""Reloading the files that settings name: on SIGHUP, and when they change if that is wanted."""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from traceback import format_tb
from typing import NoReturn, Protocol

from attrs import frozen
from structlog.typing import FilteringBoundLogger

from entrypoints.container import Container
from entrypoints.settings.changes import changes
from entrypoints.settings.environment import SettingsError
from entrypoints.settings.settings import Settings
from entrypoints.watch import set_on_change

_FAILED = "reload failed, keeping the previous settings"


class ReloadObserver(Protocol):
    """Whoever counts reloads."""

    @abstractmethod
    def reloaded(self, *, ok: bool) -> None:
        """Note that the settings have been reloaded, or that they could not be."""


@frozen(kw_only=True)
class Reload:
    """Loads the settings again; if any of them is wrong, all stay as they were.

    ``reopen`` is called before, for files that may have been moved away, also if the settings turn
    out to be wrong.
    """

    container: Container
    load: Callable[[], Settings]
    log: FilteringBoundLogger
    reopen: Callable[[], None]
    observer: ReloadObserver

    async def __call__(self) -> None:
        """Reload once; a bug is logged."""
        try:
            self.reopen()
            settings = await asyncio.to_thread(self.load)
        except SettingsError as error:
            self.observer.reloaded(ok=False)
            self.log.error(_FAILED, reason=str(error))  # noqa: TRY400 - one line
        except Exception as error:  # noqa: BLE001 - a bug must not end reloading
            self.observer.reloaded(ok=False)
            self.log.error(  # noqa: TRY400 - the exception's text may contain anything
                _FAILED, reason=type(error).__name__, stack=format_tb(error.__traceback__)
            )
        else:
            self._use(settings)

    def _use(self, settings: Settings) -> None:
        before = self.container.settings()
        self.container.settings.reset_override()
        self.container.settings.override(settings)
        self.observer.reloaded(ok=True)
        self.log.info("reloaded", **changes(before, settings))
        for problem in settings.warnings:
            if problem not in before.warnings:
                self.log.warning("settings warning", problem=problem)


@asynccontextmanager
async def reloading(hangup: asyncio.Event, reload: Reload) -> AsyncIterator[None]:
    """Reload whenever ``hangup`` is set, while the block runs.

    A setting lets changes of files set ``hangup``.
    """
    tasks = {asyncio.create_task(_reload_on(hangup, reload))}
    settings = reload.container.settings()
    if settings.reload_on_change:
        tasks.add(asyncio.create_task(set_on_change(hangup, settings.files)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)  # or else asyncio logs that they were destroyed


async def _reload_on(hangup: asyncio.Event, reload: Reload) -> NoReturn:
    while True:
        await hangup.wait()
        hangup.clear()
        await reload()
