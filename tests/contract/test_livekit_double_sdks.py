"""LiveKit's server SDKs drive every call of the LiveKit double, unchanged."""

import json
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import aiohttp
import pytest
from livekit.api import (
    CreateRoomRequest,
    DeleteRoomRequest,
    ListParticipantsRequest,
    ListRoomsRequest,
    LiveKitAPI,
    MuteRoomTrackRequest,
    RoomParticipantIdentity,
    ServerError,
    UpdateRoomMetadataRequest,
)

from tests.contract.double_program import program
from tests.support.command import TIMEOUT_S

SECRET = "a-secret-of-at-least-32-characters"
SDKS = Path(os.environ.get("LIVEKIT_SDKS", ".sdks"))
OUTCOMES: Mapping[str, str] = {
    "create": "1",
    "createAgain": "1",
    "update": "3",
    "updateMissing": "404 not_found",
    "rooms": "3",
    "participants": "alice",
    "get": "TR_mic",
    "getMissing": "404 not_found",
    "mute": "true",
    "muteUnknownSid": "no track",
    "muteMissing": "503 unavailable",
    "unmute": "412 failed_precondition",
    "remove": "ok",
    "removeMissing": "404 not_found",
    "delete": "ok",
    "deleteMissing": "404 not_found",
}


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A double with a participant in a room."""
    with program(f"--api-secret={SECRET}") as running:
        alice = {"room": "lobby", "identity": "alice"}
        async with aiohttp.ClientSession(running.url) as session:
            for name, fields in (
                ("configure", {"absent_wait_s": 0}),
                ("join", alice),
                ("publish", {**alice, "sid": "TR_mic"}),
            ):
                async with session.post(f"/double/{name}", json=fields) as answer:
                    assert answer.ok
        yield running.url


async def outcomes_in_python(url: str) -> dict[str, str]:
    async with LiveKitAPI(url, "devkey", SECRET, failover=False) as api:
        return {name: await outcome_of(step) for name, step in steps(api).items()}


async def outcome_of(step: Callable[[], Awaitable[str]]) -> str:
    try:
        return await step()
    except ServerError as error:
        return f"{error.status} {error.code}"


def steps(api: LiveKitAPI) -> dict[str, Callable[[], Awaitable[str]]]:
    async def create(metadata: str) -> str:
        asked = CreateRoomRequest(name="sdk", metadata=metadata)
        return (await api.room.create_room(asked)).metadata

    async def update(room: str) -> str:
        asked = UpdateRoomMetadataRequest(room=room, metadata="3")
        return (await api.room.update_room_metadata(asked)).metadata

    async def rooms() -> str:
        asked = ListRoomsRequest(names=["sdk", "missing"])
        return ",".join(room.metadata for room in (await api.room.list_rooms(asked)).rooms)

    async def participants() -> str:
        listed = await api.room.list_participants(ListParticipantsRequest(room="lobby"))
        return ",".join(one.identity for one in listed.participants)

    async def get(identity: str) -> str:
        asked = RoomParticipantIdentity(room="lobby", identity=identity)
        return (await api.room.get_participant(asked)).tracks[0].sid

    async def mute(identity: str, sid: str, *, muted: bool = True) -> str:
        asked = MuteRoomTrackRequest(room="lobby", identity=identity, track_sid=sid, muted=muted)
        answer = await api.room.mute_published_track(asked)
        return str(answer.track.muted).lower() if answer.HasField("track") else "no track"

    async def remove() -> str:
        asked = RoomParticipantIdentity(room="lobby", identity="alice")
        await api.room.remove_participant(asked)
        return "ok"

    async def delete() -> str:
        await api.room.delete_room(DeleteRoomRequest(room="sdk"))
        return "ok"

    return {
        "create": lambda: create("1"),
        "createAgain": lambda: create("2"),
        "update": lambda: update("sdk"),
        "updateMissing": lambda: update("missing"),
        "rooms": rooms,
        "participants": participants,
        "get": lambda: get("alice"),
        "getMissing": lambda: get("nobody"),
        "mute": lambda: mute("alice", "TR_mic"),
        "muteUnknownSid": lambda: mute("alice", "TR_other"),
        "muteMissing": lambda: mute("nobody", "TR_mic"),
        "unmute": lambda: mute("alice", "TR_mic", muted=False),
        "remove": remove,
        "removeMissing": remove,
        "delete": delete,
        "deleteMissing": delete,
    }


def outcomes_of(*command: str | Path) -> dict[str, str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    outcomes: dict[str, str] = json.loads(done.stdout)
    return outcomes


class TestSdks:
    async def test_of_python_drives_it(self, url: str) -> None:
        assert await outcomes_in_python(url) == OUTCOMES

    @pytest.mark.livekit_sdks
    @pytest.mark.parametrize("end", ["", "/"])
    def test_of_javascript_drives_it(self, url: str, end: str) -> None:
        assert outcomes_of("node", SDKS / "drive.mjs", url + end, "devkey", SECRET) == OUTCOMES

    @pytest.mark.livekit_sdks
    @pytest.mark.parametrize("end", ["", "/"])
    def test_of_go_drives_it(self, url: str, end: str) -> None:
        assert outcomes_of(SDKS.resolve() / "drive", url + end, "devkey", SECRET) == OUTCOMES
