"""``--json`` has the members that ``docs/command.md`` shows."""

import json
import re

from contract.livekit_answers import twirp_error
from contract.livekit_double import LiveKitDouble
from tests.entrypoints.cli.conftest import Cli
from tests.support.imports import PROJECT

PAGE = (PROJECT / "docs" / "command.md").read_text()


def members(lines: str) -> list[object]:
    """Return the names and types of the members of the objects, one a line."""
    return [_outline(json.loads(line)) for line in lines.splitlines()]


def _outline(value: object) -> object:
    if isinstance(value, dict):
        return {name: _outline(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_outline(value[0])]
    return type(value)


class TestJson:
    async def test_is_as_documented(self, cli: Cli, double: LiveKitDouble) -> None:
        listed, results = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
        muted, failed = members(results)
        done = await cli("tracks", "room-1", "alice", "--json")
        assert members(done.stdout) == members(listed)
        mute = ("mute", "room-1", "alice", "TR_alice_mic", "--json")
        assert members((await cli(*mute)).stdout) == [muted]
        double.fail_next("MutePublishedTrack", twirp_error("unavailable"))
        assert members((await cli(*mute)).stdout) == [failed]
