"""The room gateway's suite in projects of other people, whatever plugins of pytest they have."""

import re
import signal
from pathlib import Path

import pytest

from tests.contract.suite_mistakes import BROKEN, HEAD, LINES, MISTAKES
from tests.support.clauses_table import CLAUSES
from tests.support.user_project import UserProject

ASYNCIO, ANYIO, XDIST = "pytest_asyncio.plugin", "anyio.pytest_plugin", "xdist.plugin"
FUNCTION_LOOPS = "asyncio_default_fixture_loop_scope = function"
SESSION_LOOPS = """
asyncio_default_fixture_loop_scope = session
asyncio_default_test_loop_scope = session
"""
DIFFERS = 3
KEPT = f"{len(CLAUSES) - DIFFERS} passed, {DIFFERS} skipped"
NEIGHBOUR = """
import asyncio

import pytest_asyncio

@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def loop():
    return asyncio.get_running_loop()

async def test_own(loop):
    assert asyncio.get_running_loop() is loop
"""
BACKENDS = """
import pytest

@pytest.fixture(params=["asyncio", ("trio", {"restrict_keyboard_interrupt_to_checkpoints": True})])
def anyio_backend(request):
    return request.param
"""
OPEN = """
class TestOpen(Example):
    clause_timeout_s = 3600

    @asynccontextmanager
    async def open_gateway(self, *, remote_unmute):
        try:
            print("opened")
            yield await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            print("closed")
"""
ON_BACKENDS = """
import pytest
from test_conference_gateway import TestConferenceGateway as Example

@pytest.mark.usefixtures("anyio_backend")
class TestOnBackends(Example):
    pass
"""


@pytest.fixture
def project(tmp_path: Path) -> UserProject:
    return UserProject(tmp_path)


class TestSuite:
    @pytest.mark.parametrize(
        ("plugins", "settings"),
        [
            pytest.param((), "", id="pytest alone"),
            pytest.param(
                (ASYNCIO,), f"asyncio_mode = strict\n{FUNCTION_LOOPS}", id="pytest-asyncio, strict"
            ),
            pytest.param(
                (ASYNCIO,), f"asyncio_mode = auto\n{FUNCTION_LOOPS}", id="pytest-asyncio, auto"
            ),
            pytest.param(
                (ASYNCIO,), f"asyncio_mode = auto\n{SESSION_LOOPS}", id="loops of a session"
            ),
            pytest.param((ANYIO,), "", id="anyio"),
            pytest.param((ANYIO,), "anyio_mode = auto", id="anyio, auto"),
            pytest.param(
                (ASYNCIO, ANYIO, XDIST), f"addopts = -n 2\n{FUNCTION_LOOPS}", id="all, and xdist"
            ),
        ],
    )
    def test_runs_with(self, project: UserProject, plugins: tuple[str, ...], settings: str) -> None:
        project.write({"pytest.ini": f"[pytest]\n{settings}\n"})
        run = project.pytest("-q", plugins=plugins)
        assert f"{KEPT} in " in run.stdout
        assert run.returncode == pytest.ExitCode.OK

    def test_leaves_the_event_loops_of_other_tests_alone(self, project: UserProject) -> None:
        project.write({"pytest.ini": f"[pytest]\nasyncio_mode = auto\n{SESSION_LOOPS}"})
        project.write({"test_before.py": NEIGHBOUR, "test_later.py": NEIGHBOUR})
        names = ("test_before.py", "test_conference_gateway.py", "test_later.py")
        run = project.pytest("-q", *names, plugins=(ASYNCIO,))
        assert f"{len(CLAUSES) - DIFFERS + 2} passed, {DIFFERS} skipped in " in run.stdout

    def test_says_that_it_does_not_run_on_trio(self, project: UserProject) -> None:
        project.write({"conftest.py": BACKENDS, "test_on_backends.py": ON_BACKENDS})
        run = project.pytest("-q", "-rs", "test_on_backends.py::TestOnBackends", plugins=(ANYIO,))
        passed = len(CLAUSES) - DIFFERS
        assert f"{passed} passed, {DIFFERS + len(CLAUSES)} skipped in " in run.stdout
        assert f"SKIPPED [{len(CLAUSES)}] " in run.stdout
        assert "a room gateway is for asyncio, and cannot be run on ('trio'," in run.stdout

    def test_closes_what_is_open_when_it_is_interrupted(self, project: UserProject) -> None:
        project.write({"test_open.py": f"{HEAD}{OPEN}"})
        with project.start("pytest", "-s", "test_open.py", "-k", "test_mutes") as run:
            assert run.stdout
            assert any("opened" in line for line in run.stdout)
            run.send_signal(signal.SIGINT)
            assert "closed\n" in run.stdout.read()
        assert run.returncode == pytest.ExitCode.INTERRUPTED

    def test_is_typed(self, project: UserProject) -> None:
        checked = project.mypy()
        assert checked.stdout == "Success: no issues found in 4 source files\n"


class TestDiffers:
    def test_skips_what_it_names_and_says_why(self, project: UserProject) -> None:
        run = project.pytest("-q", "-rs")
        assert f"SKIPPED [{DIFFERS}] " in run.stdout
        assert ": TestConferenceGateway differs: our server denies nobody\n" in run.stdout

    def test_may_not_name_what_is_no_clause(self, project: UserProject) -> None:
        wrong = "class TestWrong(Example):\n    differs = {'test_mute': 'none'}\n"
        project.write({"test_wrong.py": f"{HEAD}\n{wrong}"})
        run = project.pytest("-q", "test_wrong.py")
        assert (
            "E   TypeError: TestWrong.differs names no clause: 'test_mute'; is it 'test_mutes'?\n"
        ) in run.stdout
        assert run.returncode == pytest.ExitCode.INTERRUPTED


class TestFailure:
    def test_is_that_of_the_broken_clause_alone(self, project: UserProject) -> None:
        project.write({"test_broken.py": f"{HEAD}{BROKEN}"})
        run = project.pytest("-q", "test_broken.py")
        failed = re.findall("^FAILED .*::(.*) - ", run.stdout, re.MULTILINE)
        assert failed == ["test_reads_a_room"]

    def test_shows_the_values_compared(self, project: UserProject) -> None:
        project.write({"test_broken.py": f"{HEAD}{BROKEN}"})
        run = project.pytest("-q", "test_broken.py")
        assert "owner: 'tenant \u00e9' != 'Tenant \u00e9'" in run.stdout

    def test_names_a_mistake_in_one_line(self, project: UserProject) -> None:
        project.write({"test_mistakes.py": f"{HEAD}{MISTAKES}"})
        tests = [f"test_mistakes.py::{name}::test_reads_a_room" for name in LINES]
        run = project.pytest("-q", "-n", "4", *tests, plugins=(XDIST,))
        failures = re.findall(
            r"^_+ (\w+)\.\w+ _+\n(?:\[gw.*\n)?(.*)\n(?=_|=)", run.stdout, re.MULTILINE
        )
        lines = {name: line.partition(" (test_mistakes.py:")[0] for name, line in failures}
        assert lines == LINES
