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
        except Exception as error:  # noqa: BLE001 - a bug must not end reloading
            self.fail(error)
        else:
            self.use(settings)

    def fail(self, error: Exception) -> None:
        """Log why the settings could not be loaded; of a bug the type and the location."""
        self.observer.reloaded(ok=False)
        if isinstance(error, SettingsError):
            self.log.error(_FAILED, reason=str(error))
        else:  # the exception's text may contain anything
            stack = format_tb(error.__traceback__)
            self.log.error(_FAILED, reason=type(error).__name__, stack=stack)

    def use(self, settings: Settings) -> None:
        """Use new settings, and log what has changed."""
        before = self.container.settings()
        replace(self.container, settings)
        self.observer.reloaded(ok=True)
        self.log.info("reloaded", **changes(before, settings))
        for problem in settings.warnings:
            if problem not in before.warnings:
                self.log.warning("settings warning", problem=problem)


def replace(container: Container, settings: Settings) -> None:
    """Let the container provide other settings from now on."""
    container.settings.reset_override()
    container.settings.override(settings)


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
