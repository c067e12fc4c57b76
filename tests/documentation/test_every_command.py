"""Each command of the documentation is run here, by another test, or not, for a reason."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.documentation.pages import Block, blocks
from tests.support.imports import PROJECT

URL = "http://127.0.0.1:3001"
PAGES = ("README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in PROJECT.glob("docs/*.md")))

RUN_HERE = {  # by test_commands.py and TestMake
    ("README.md", "make run"),
    ("README.md", f"curl {URL}/livekit/participant/mute \\"),
    ("CONTRIBUTING.md", "make check"),
    ("docs/api.md", f"curl {URL}/livekit/participant/mute \\"),
    ("docs/audit.md", "livekit-mute audit /var/log/"),
    ("docs/audit.md", "# Who has just muted alice?"),
    ("docs/check.md", "livekit-mute check\n"),
    ("docs/check.md", "livekit-mute check --json"),
    ("docs/command.md", "export LIVEKIT_URL=wss://livekit.example.com LIVEKIT_API_KEY=..."),
    ("docs/command.md", "livekit-mute secret tenant-a | tail -n 1 > api-secrets.json"),
    ("docs/command.md", 'eval "$(_LIVEKIT_MUTE_COMPLETE=bash_source livekit-mute)"'),
    ("docs/identity.md", "umask 077"),
    ("docs/identity.md", "TOKEN=$(.venv/bin/python -c 'import jwt, time"),
    ("docs/metrics.md", "METRICS_PORT=9464 livekit-mute serve"),
    ("docs/run.md", "export LIVEKIT_URL=wss://livekit.example.com LIVEKIT_API_KEY=..."),
    ("docs/run.md", ".venv/bin/livekit-mute tracks conversation-room-123"),
}
RUN_ELSEWHERE = {
    ("docs/livekit-double.md", "curl -s http://127.0.0.1:7880/double/join"): (
        "tests/contract/test_livekit_double_program.py"
    ),
    ("docs/tracing.md", "curl "): "tests/examples/test_tracing_page.py",
    ("docs/log.md", "jq -r 'select(.credential)"): "tests/entrypoints/test_rotation.py",
}
NOT_RUN = {
    ("docs/livekit-double.md", "pip install '.[contract]'"): (
        "fetches packages; tests/test_wheel.py installs the same from a wheel and runs the double"
    ),
    ("docs/rest-suite.md", "pip install '.[contract]'"): (
        "the same, and names a server of the reader's; tests/contract/test_rest_suite.py has some"
    ),
    ("docs/room-gateways.md", "pip install '.[contract]'"): "the same",
    ("docs/tracing.md", "pip install 'livekit-mute[otel]'"): (
        "fetches packages; tests/entrypoints/tracing/test_traced_service.py starts it with spans"
    ),
    ("docs/run.md", "python3 -m venv .venv"): "the same",
    ("docs/run.md", "docker build -t livekit-mute ."): "needs Docker",
}


def accounted_for(found: Block, known: Iterable[tuple[str, str]]) -> bool:
    return any(found.page == page and found.text.startswith(start) for page, start in known)


class TestEveryCommand:
    def test_is_accounted_for(self) -> None:
        known = {*RUN_HERE, *RUN_ELSEWHERE, *NOT_RUN}
        found = [each for page in PAGES for each in blocks(page, "sh")]
        missing = [each.first for each in found if not accounted_for(each, known)]
        assert missing == []
        gone = [one for one in known if not any(accounted_for(each, [one]) for each in found)]
        assert gone == []

    @pytest.mark.parametrize(("page", "start"), RUN_ELSEWHERE)
    def test_is_read_from_the_page_by_the_test_that_runs_it(self, page: str, start: str) -> None:
        assert Path(page).name in (PROJECT / RUN_ELSEWHERE[page, start]).read_text()


class TestMake:
    @pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
    def test_has_the_targets(self, page: str) -> None:
        text = "\n".join(each.text for each in blocks(page, "sh"))
        named = set(re.findall(r"^make ([\w-]+)", text, re.MULTILINE))
        targets = re.findall(r"^([\w-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)
        assert named
        assert named - {*targets} == set()
