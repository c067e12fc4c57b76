"""The command with settings that are wrong: it stops at once, and says why in one line."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import frozen

from tests.campaigns.broken_settings import BROKEN, Broken
from tests.campaigns.figures import Figures, Length
from tests.campaigns.meant_authentication import MEANT
from tests.command import COMMAND

pytestmark = pytest.mark.campaign("broken settings")


@frozen
class Outcome:
    what: str
    at_fault: str
    variables: Mapping[str, str]
    status: int
    said: str
    elapsed_s: float

    @property
    def started(self) -> bool:
        return '"listening"' in self.said

    def faults(self) -> Iterator[str]:
        """Tell what is not as it must be."""
        name = self.at_fault if self.at_fault.isprintable() else ascii(self.at_fault)
        if self.status != 2:
            yield f"exit status {self.status}"
        if not self.said.startswith(f"livekit-mute: {name}: "):
            yield f"{name} is not named"
        if self.said.count("\n") != 1 or not self.said.endswith("\n"):
            yield "not one line"
        if "s3cret" in self.said or any(self._shows(each) for each in self.variables.values()):
            yield "a value is shown"

    def _shows(self, value: str) -> bool:
        return f" {value} " in self.said.replace("\n", " ")


def outcome(what: str, broken: Broken, folder: Path) -> Outcome:
    """Run the command until it stops, or is killed because it listens."""
    folder.mkdir()
    variables = broken.environment(folder)
    began_s = time.perf_counter()
    said = ""
    with subprocess.Popen(
        [COMMAND, "serve"],
        env={"PATH": os.environ["PATH"], "LOG_FORMAT": "json", "PORT": "0", **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        for line in process.stderr:
            said += line
            if '"listening"' in line:
                process.kill()
    elapsed_s = time.perf_counter() - began_s
    return Outcome(what, broken.at_fault, variables, process.returncode, said, elapsed_s)


class TestBrokenSettings:
    @pytest.mark.parametrize(
        ("cases", "few"),
        [(BROKEN, 6), (MEANT, 5)],
        ids=["whatever they are about", "that show that authentication was meant"],
    )
    def test_stop_the_start_with_one_line(
        self,
        cases: Mapping[str, Broken],
        few: int,
        tmp_path: Path,
        length: Length,
        figures: Figures,
    ) -> None:
        stride = max(1, len(cases) // length(short=few, full=len(cases)))

        def run(numbered: tuple[int, str]) -> Outcome:
            number, what = numbered
            return outcome(what, cases[what], tmp_path / str(number))

        with ThreadPoolExecutor(max_workers=2) as pool:
            outcomes = list(pool.map(run, enumerate(list(cases)[::stride])))
        wrong = {each.what: (list(each.faults()), each.said[:500]) for each in outcomes}
        figures.note("settings", len(outcomes))
        figures.at_most("started", sum(each.started for each in outcomes), 0)
        figures.at_most("s to stop", max(each.elapsed_s for each in outcomes), 2, timed=True)
        assert {what: told for what, told in wrong.items() if told[0]} == {}
