"""Runs a coroutine in an event loop and a thread of its own, for a limited time.

So the suite needs no plugin of pytest and meets none, and a blocked event loop is found out.
"""

import asyncio
import os
import sys
import traceback
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from itertools import chain
from threading import Thread
from types import FrameType
from typing import Any

import pytest

GRACE_S = 5.0
"""How long something may take to end once its time is over."""

Failed = pytest.fail.Exception
_CONTRACT = __name__.rsplit(".", 2)[0]


def run(main: Coroutine[Any, Any, None], *, timeout_s: float) -> None:
    """Run a coroutine to its end and raise what it raises.

    Raises:
        Failed: it took longer; the text says where it waits or blocks.
    """
    loop = asyncio.new_event_loop()
    thread = Thread(target=_serve, args=(loop,), daemon=True)
    future = asyncio.run_coroutine_threadsafe(_limit(main, timeout_s=timeout_s), loop)
    grace_s = GRACE_S
    try:
        thread.start()
        error = future.exception(timeout_s + grace_s)
    except TimeoutError:
        error = Failed(f"timeout after {timeout_s:g} s: {_stuck(thread, loop)}", pytrace=False)
        grace_s = 0
    finally:
        future.cancel()
        thread.join(grace_s)
    if error is not None:
        __tracebackhide__ = getattr(error, "pytrace", True)  # pytest minds if nothing is left
        raise error
    if thread.is_alive():
        pytest.fail("tasks or threads that were left over do not end when cancelled", pytrace=False)


@asynccontextmanager
async def fails_at(when: float, text: str) -> AsyncIterator[None]:
    """Fail with a text if this is not left by an instant of the event loop's clock.

    Raises:
        Failed: the text, and where it waited.
    """
    limit = asyncio.timeout_at(when)
    try:
        async with limit:
            yield
    except BaseException as error:
        if limit.expired():
            waited = error.__cause__ if isinstance(error, TimeoutError) else error
            raise Failed(f"{text}: it waits {_origin(waited)}", pytrace=False) from None
        raise


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop().run_forever()


async def _limit(main: Coroutine[Any, Any, None], *, timeout_s: float) -> None:
    __tracebackhide__ = True
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    try:
        async with fails_at(loop.time() + timeout_s, f"timeout after {timeout_s:g} s"):
            await main
    except asyncio.CancelledError as error:
        if task is None or task.cancelling():
            raise
        raised = f"CancelledError, though nothing was cancelled, {_origin(error)}"
        raise Failed(raised, pytrace=False) from None
    except SystemExit as error:  # would end the loop before it is closed
        raise Failed(f"SystemExit: {error}, {_origin(error)}", pytrace=False) from None
    finally:
        loop.call_soon(loop.stop)


def _stuck(thread: Thread, loop: asyncio.AbstractEventLoop) -> str:
    innermost = sys._current_frames()[thread.ident or 0]  # noqa: SLF001 - documented as public
    if place := _place(reversed([frame for frame, _ in traceback.walk_stack(innermost)])):
        return f"it blocks the event loop {place}"
    return f"it goes on, although it was cancelled, {_waiting(loop)}"


def _waiting(loop: asyncio.AbstractEventLoop) -> str:
    frames = chain.from_iterable(_awaited(task.get_coro()) for task in asyncio.all_tasks(loop))
    return _place(frames) or "in the suite itself"


def _awaited(coroutine: object) -> Iterator[FrameType]:
    """Yield the frames of a coroutine and of those that it waits for."""
    while frame := getattr(coroutine, "cr_frame", None):
        yield frame
        coroutine = getattr(coroutine, "cr_await", None)


def _origin(error: BaseException | None) -> str:
    trace = error.__traceback__ if error else None
    frames = (frame for frame, _ in traceback.walk_tb(trace))
    return _place(frames) or _waiting(asyncio.get_running_loop())


def _place(frames: Iterable[FrameType]) -> str:
    """Name the outermost place that is neither the standard library's nor the suite's own."""
    for frame in frames:
        module = frame.f_globals.get("__name__", "")
        is_ours = module.startswith(f"{_CONTRACT}.")
        if not is_ours and module.partition(".")[0] not in sys.stdlib_module_names:
            code = frame.f_code
            return f"in {code.co_qualname} ({os.path.relpath(code.co_filename)}:{frame.f_lineno})"
    return ""
