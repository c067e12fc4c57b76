"""The tool of an agent: what it does, and the tool itself where livekit-agents is found.

livekit-agents takes 500 MB and pins another version of LiveKit's client than our tests use.
"""

import os
from pathlib import Path

import pytest

from tests.examples.programs import Programs, check_types
from tests.support.imports import PROJECT

AGENT_TOOL = PROJECT / "examples" / "agent_tool"

PREAMBLE = """
import asyncio, json, math
from livekit_mute.adapters.in_memory.room_gateway import InMemoryRoomGateway
from livekit_mute.adapters.in_memory.rooms import InMemoryRooms
from livekit_mute.application.room_access import RoomAccess
from livekit_mute.domain.track import *

ALICE, BOB = (Participant(room="standup", identity=each) for each in ("alice", "bob"))
rooms = InMemoryRooms(remote_unmute=False)
rooms.put_room(ALICE.room, metadata='{"auth_id": "tenant-a"}')
rooms.put_room("other")
for participant in ALICE, BOB:
    rooms.put_participant(participant)
for sid, source in ("TR_mic", TrackSource.MICROPHONE), ("TR_cam", TrackSource.CAMERA):
    rooms.put_track(ALICE, PublishedTrack(sid=sid, muted=False, source=source))
access = RoomAccess(gateway=InMemoryRoomGateway(rooms))
"""

MICROPHONES = """
from microphones import mute_microphones

async def main():
    for identity in "alice", "bob", "carol":
        participant = Participant(room="standup", identity=identity)
        try:
            print(await mute_microphones(access, participant, deadline=math.inf))
        except ParticipantNotFoundError as error:
            print(error)
    print([track.sid for track in rooms.tracks[ALICE].values() if track.muted])

asyncio.run(main())
"""

TOOL = """
from agent import make_mute_tool
from livekit.agents import llm

async def main():
    tools = llm.ToolContext([make_mute_tool(access, "standup")])
    for identity in "alice", "bob", "carol":
        call = llm.FunctionToolCall(
            name="mute_microphone",
            arguments=json.dumps({"participant_identity": identity, "room": "other"}),
            call_id=identity,
        )
        output = (await llm.execute_function_call(call, tools)).fnc_call_out
        print(output.is_error, output.output)
    print([track.sid for track in rooms.tracks[ALICE].values() if track.muted])

asyncio.run(main())
"""


class TestAgentTool:
    async def test_mutes_all_microphones_and_nothing_else(self, programs: Programs) -> None:
        printed = await programs.run("-c", PREAMBLE + MICROPHONES, folder=AGENT_TOOL)
        assert printed == "1\n0\nno such participant in the room\n['TR_mic']\n"

    @pytest.mark.livekit_agents
    async def test_is_a_tool_of_livekits_agents(self, programs: Programs) -> None:
        python = os.environ["LIVEKIT_AGENTS_PYTHON"]
        printed = await programs.run("-c", PREAMBLE + TOOL, folder=AGENT_TOOL, python=python)
        assert printed == (
            "False alice is muted\n"
            "False bob has no microphone on, as far as LiveKit knows by now\n"
            "True not muted: no such participant in the room\n"
            "['TR_mic']\n"
        )

    @pytest.mark.livekit_agents
    def test_is_accepted_by_mypy_in_strict_mode(self, library: Path) -> None:
        python = os.environ["LIVEKIT_AGENTS_PYTHON"]
        check_types(library, *AGENT_TOOL.glob("*.py"), python=python)
