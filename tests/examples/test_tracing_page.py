"""docs/tracing.md: its request and its program."""

import re
from pathlib import Path

from contract.livekit_double.double import LiveKitDouble
from tests.examples.programs import Programs, check_types
from tests.support.command import Run, paste
from tests.support.imports import PROJECT

PAGE = (PROJECT / "docs" / "tracing.md").read_text()
[PROGRAM] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
[CURL] = re.findall(r"```sh\n(curl .*?)\n```", PAGE, re.DOTALL)
SET_UP = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
"""


class TestRequest:
    async def test_is_found_in_the_log_by_its_trace(self, start: Run) -> None:
        running = start("--gateway", "in-memory")
        status, _ = await paste(CURL.replace("http://127.0.0.1:3001", running.url))
        running.wait_for("request")
        [event] = [event for event in running.events if event["event"] == "request"]
        assert status == 200
        assert f'"trace_id": "{event["trace_id"]}"' in PAGE


class TestProgram:
    async def test_makes_its_calls_in_the_current_trace(
        self, programs: Programs, tmp_path: Path, livekit: LiveKitDouble
    ) -> None:
        show = PROGRAM.replace(
            "print(await",
            'print("%032x" % trace.get_current_span().get_span_context().trace_id, await',
        )
        printed = await programs.run("-W", "error", "-c", SET_UP + show, folder=tmp_path)
        trace_id, _, track = printed.partition(" ")
        assert track == "Track(sid='TR_microphone', muted=True)\n"
        assert livekit.headers["MutePublishedTrack"]["traceparent"].split("-")[1] == trace_id

    def test_is_accepted_by_mypy_in_strict_mode(self, library: Path, tmp_path: Path) -> None:
        (tmp_path / "program.py").write_text(PROGRAM)
        check_types(library, tmp_path / "program.py")
