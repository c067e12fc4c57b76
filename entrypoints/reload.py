"""Reloading the files that settings name: on SIGHUP, and when they change if that is wanted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from traceback import format_tb
from typing import NoReturn, Protocol

from structlog.typing import FilteringBoundLogger

from entrypoints.container import Container
from entrypoints.settings.changes import changes
from entrypoints.settings.environment import SettingsError
from entrypoints.settings.settings import Settings
from entrypoints.watch import set_on_change

_FAILED = "reload failed, keeping the previous settings"


class Reloaded(Protocol):
    """Whoever is told of reloads."""

    def __call__(self, *, ok: bool) -> None:
        """Note that the settings were loaded again, or could not be."""


def _tell_nobody(*, ok: bool) -> None:
    del ok


@asynccontextmanager
async def reloading(
    hangup: asyncio.Event,
    container: Container,
    load: Callable[[], Settings],
    log: FilteringBoundLogger,
    *,
    reopen: Callable[[], None],
) -> AsyncIterator[None]:
    """Load the settings again whenever ``hangup`` is set, while the block runs.

    If any setting is wrong, all stay as they were. A setting lets changes of files set ``hangup``.
    """
    tasks = {asyncio.create_task(_reload_on(hangup, container, load, log))}
    settings = container.settings()
    if settings.reload_on_change:
        tasks.add(asyncio.create_task(set_on_change(hangup, settings.files)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)  # or else asyncio logs that they were destroyed


async def _reload_on(
    hangup: asyncio.Event,
    container: Container,
    load: Callable[[], Settings],
    log: FilteringBoundLogger,
    reopen: Callable[[], None],
) -> NoReturn:
    while True:
        await hangup.wait()
        hangup.clear()
        reopen()
        try:
            settings = await asyncio.to_thread(load)
        except SettingsError as error:
            told(ok=False)
            log.error(_FAILED, reason=str(error))  # noqa: TRY400 - one line
        except Exception as error:  # noqa: BLE001 - a bug must not end reloading
            told(ok=False)
            log.error(  # noqa: TRY400 - the exception's text may contain anything
                _FAILED, reason=type(error).__name__, stack=format_tb(error.__traceback__)
            )
        else:
            before = container.settings()
            container.settings.reset_override()
            container.settings.override(settings)
            log.info("reloaded", **changes(before, settings))
            for problem in settings.warnings:
                if problem not in before.warnings:
                    log.warning("settings warning", problem=problem)
