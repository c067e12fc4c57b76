"""Invalid settings stop the start with one line that names the variable."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import frozen

from tests.robustness.broken_settings import BROKEN, Broken
from tests.robustness.incomplete_authentication import INCOMPLETE_AUTHENTICATION
from tests.robustness.metrics import Length, Metrics
from tests.support.command import COMMAND
from tests.support.imports import PROJECT

pytestmark = pytest.mark.robustness("broken settings")


@frozen
class Outcome:
    what: str
    invalid: str
    variables: Mapping[str, str]
    status: int
    stderr: str
    elapsed_s: float

    @property
    def started(self) -> bool:
        return '"listening"' in self.stderr

    def faults(self) -> Iterator[str]:
        """Yield everything that is wrong with the exit status and the error message."""
        name = self.invalid if self.invalid.isprintable() else ascii(self.invalid)
        if self.status != 2:
            yield f"exit status {self.status}"
        if not self.stderr.startswith(f"livekit-mute: {name}: "):
            yield f"{name} is not named"
        if self.stderr.count("\n") != 1 or not self.stderr.endswith("\n"):
            yield "not one line"
        if "s3cret" in self.stderr or any(self._prints(each) for each in self.variables.values()):
            yield "a value is printed"

    def _prints(self, value: str) -> bool:
        return f" {value} " in self.stderr.replace("\n", " ")


def outcome(what: str, broken: Broken, folder: Path) -> Outcome:
    """Run the command until it ends, or kill it once it listens."""
    folder.mkdir()
    variables = broken.environment(folder)
    began_s = time.perf_counter()
    stderr = ""
    with subprocess.Popen(
        [*COMMAND, "serve"],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "LOG_FORMAT": "json", "PORT": "0", **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        for line in process.stderr:
            stderr += line
            if '"listening"' in line:
                process.kill()
    elapsed_s = time.perf_counter() - began_s
    return Outcome(what, broken.invalid, variables, process.returncode, stderr, elapsed_s)


class TestBrokenSettings:
    @pytest.mark.parametrize(
        ("cases", "short"),
        [(BROKEN, 6), (INCOMPLETE_AUTHENTICATION, 5)],
        ids=["invalid values and files", "incomplete authentication"],
    )
    def test_stop_the_start_with_one_line(
        self,
        cases: Mapping[str, Broken],
        short: int,
        tmp_path: Path,
        length: Length,
        metrics: Metrics,
    ) -> None:
        stride = max(1, len(cases) // length(short=short, full=len(cases)))

        def run(numbered: tuple[int, str]) -> Outcome:
            number, what = numbered
            return outcome(what, cases[what], tmp_path / str(number))

        with ThreadPoolExecutor(max_workers=2) as pool:
            outcomes = list(pool.map(run, enumerate(list(cases)[::stride])))
        wrong = {each.what: (list(each.faults()), each.stderr[:500]) for each in outcomes}
        metrics.note("settings", len(outcomes))
        metrics.at_most("started", sum(each.started for each in outcomes), 0)
        metrics.at_most("s to stop", max(each.elapsed_s for each in outcomes), 2, timed=True)
        assert {what: outcome for what, outcome in wrong.items() if outcome[0]} == {}
