"""Signals at every instant, from the first line of the command to its last."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import TypeVar

import pytest

from tests.robustness.metrics import Length
from tests.support.command import TIMEOUT_S, Run, run
from tests.support.namespaces import AS_PROCESS_1

pytestmark = pytest.mark.robustness("signals at every instant")

T = TypeVar("T")

STOP = (signal.SIGTERM, signal.SIGINT)
START = "_prepare_streams"
READY = "Signals.handle"
END = "_shut_down"
LAST = "_exit"


@pytest.fixture(
    params=[(), pytest.param(AS_PROCESS_1, marks=pytest.mark.unshare)], ids=["", "as process 1"]
)
def signalled(request: pytest.FixtureRequest) -> Sequence[str]:
    """The command that sends itself a signal, without the arguments that say when."""
    return [*request.param, sys.executable, "-m", "tests.support.signalled"]


def spread(calls: int, number: int) -> Sequence[int]:
    """Choose instants, the first and the last among them."""
    return sorted({round(calls * each / max(1, number - 1)) for each in range(number)})


async def each(check: Callable[[T], str], cases: Sequence[T]) -> Mapping[T, str]:
    """Check all cases, two at a time, and return what is wrong."""
    two = asyncio.Semaphore(2)

    async def one(case: T) -> str:
        async with two:
            return await asyncio.to_thread(check, case)

    found = await asyncio.gather(*map(one, cases))
    return {case: wrong for case, wrong in zip(cases, found, strict=True) if wrong}


def wrong_output(done: subprocess.CompletedProcess[str]) -> str:
    """Return what was written beside events of the log."""
    return done.stdout + "".join(
        line for line in done.stderr.splitlines(keepends=True) if not line.startswith("{")
    )


class TestStart:
    async def test_ends_with_0_at_a_signal_to_stop(
        self, signalled: Sequence[str], length: Length
    ) -> None:
        counted = run("serve", "--port", "0", command=[*signalled, "count", START, READY])
        calls = int(counted.stdout)
        instants = spread(calls, length(short=3, full=200))

        def check(case: tuple[signal.Signals, int]) -> str:
            number, instant = case
            once = [*signalled, str(int(number)), START, str(instant)]
            done = run("serve", "--port", "0", command=once)
            if "listening" in done.stderr and instant < 0.95 * calls:
                return "it went on"
            return wrong_output(done) or (str(done.returncode) if done.returncode else "")

        assert await each(check, list(product(STOP, instants))) == {}

    async def test_reloads_when_it_is_ready_after_sighup(
        self, signalled: Sequence[str], start: Run, length: Length
    ) -> None:
        counted = run("serve", "--port", "0", command=[*signalled, "count", START, READY])
        for instant in spread(int(counted.stdout), length(short=2, full=50)):
            running = start(command=[*signalled, str(int(signal.SIGHUP)), START, str(instant)])
            running.wait_for("reloaded")
            running.send(signal.SIGTERM)
            assert running.process.wait(TIMEOUT_S) == 0


class TestEnd:
    async def test_is_graceful_whatever_signal_comes(
        self, signalled: Sequence[str], start: Run, length: Length
    ) -> None:
        """A second signal to stop may end the process sooner, and shows in its status."""
        counting = start(command=[*signalled, "count", END, LAST])
        counting.send(signal.SIGTERM)
        output, _ = counting.process.communicate(timeout=TIMEOUT_S)
        instants = spread(int(output), length(short=2, full=100))

        def check(case: tuple[signal.Signals, int]) -> str:
            number, instant = case
            running = start(command=[*signalled, str(int(number)), END, str(instant)])
            running.send(signal.SIGTERM)
            output, _ = running.process.communicate(timeout=TIMEOUT_S)
            lines = running.log.read_text().splitlines()
            rest = output + "".join(line for line in lines if not line.startswith("{"))
            allowed = {0} if number == signal.SIGHUP else {0, 128 + number}
            return rest or ("" if running.process.returncode in allowed else str(case))

        cases = list(product((*STOP, signal.SIGHUP), instants))
        assert await each(check, cases) == {}
