"""The room gateway for Janus, on a Janus with participants over WebRTC, where both are found."""

from pathlib import Path

import pytest

from tests.examples.programs import Programs, check_types
from tests.support.imports import PROJECT

JANUS_GATEWAY = PROJECT / "examples" / "janus_gateway"


@pytest.mark.janus
class TestJanusGateway:
    async def test_passes_the_suite_but_for_what_janus_rules_out(self, programs: Programs) -> None:
        quiet = (
            "-q",
            "-p",
            "no:cacheprovider",
            "-o",
            "asyncio_default_fixture_loop_scope=function",
        )
        printed = await programs.run("-m", "pytest", *quiet, folder=JANUS_GATEWAY)
        assert " passed, 8 skipped in " in printed

    def test_has_types_that_mypy_accepts_in_strict_mode(self, library: Path) -> None:
        check_types(library, *JANUS_GATEWAY.rglob("*.py"))
