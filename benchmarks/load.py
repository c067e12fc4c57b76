"""A load generator in a process of its own, and what its requests use."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO

from attrs import frozen
from cattrs import structure, unstructure

from benchmarks.load_config import LoadConfig, LoadResult
from benchmarks.processes import PROJECT

Counters = Callable[[], Mapping[str, float]]
"""Reads what has been used so far, between requests."""


class LoadFailedError(Exception):
    """An answer was wrong or missing; the text is the load generator's error."""


@frozen(kw_only=True)
class Loaded:
    """What a load generator measured, and by how much counters grew for each request."""

    result: LoadResult
    used: Mapping[str, float]


@frozen
class Load:
    """A load generator that waits; ``warm_up_requests`` is how many it has sent so far."""

    _generator: "subprocess.Popen[str]"
    _counters: Counters
    warm_up_requests: int

    def go_on(self) -> Loaded:
        """Send requests for the configured time.

        Raises:
            LoadFailedError: an answer was wrong.
        """
        before = self._counters()
        _write(self._generator.stdin, "")
        result = _result(self._generator)
        after = self._counters()
        used = {name: (after[name] - before[name]) / result.requests for name in after}
        return Loaded(result=result, used=used)


@contextmanager
def under_load(config: LoadConfig, counters: Counters) -> Iterator[Load]:
    """Start a load generator, and let it warm the server up; it ends with the block.

    Raises:
        LoadFailedError: an answer was wrong.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load_generator"],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as generator:
        _write(generator.stdin, json.dumps(unstructure(config)))
        yield Load(generator, counters, _result(generator).requests)


def run_load(config: LoadConfig, counters: Counters) -> Loaded:
    """Run a load generator once, after its warm-up.

    Raises:
        LoadFailedError: an answer was wrong.
    """
    with under_load(config, counters) as load:
        return load.go_on()


def _write(pipe: IO[str] | None, line: str) -> None:
    assert pipe
    pipe.write(f"{line}\n")
    pipe.flush()


def _result(generator: "subprocess.Popen[str]") -> LoadResult:
    assert generator.stdout
    assert generator.stderr
    line = generator.stdout.readline()
    if not line:
        raise LoadFailedError(generator.stderr.read().strip())
    return structure(json.loads(line), LoadResult)
