"""What schemathesis makes of the document, asked of the command with LiveKit and others behind."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from attrs import define
from google.protobuf.message import Message
from livekit.protocol.room import ListRoomsRequest, MuteRoomTrackRequest
from pytest_aiohttp import AiohttpServer
from typing_extensions import override

import contract
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from contract.livekit_token import Grants
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, Track, TrackSid
from tests.adapters.identity.authentication_service import (
    AuthenticationService,
    Question,
    usual_keys,
)
from tests.adapters.identity.keys import signer
from tests.campaigns.figures import Figures, Length
from tests.command import Run, Running

pytestmark = pytest.mark.campaign("fuzzing")

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
DOCUMENT = str(Path(contract.__file__).with_name("openapi.yaml"))
TENANT = "tenant-a"
TOKEN = "secret-of-tenant-a"


@define(kw_only=True)
class HalfTheWorld(LiveKitRooms):
    """Every room and track is there whose name has an odd length, as the document's examples."""

    @override
    async def perform(self, asked: Message, grants: Grants) -> Message:
        match asked:
            case ListRoomsRequest():
                for name in asked.names:
                    self._put(RoomName(name))
            case MuteRoomTrackRequest() if self._put(RoomName(asked.room)):
                whose = Participant(
                    room=RoomName(asked.room), identity=ParticipantIdentity(asked.identity)
                )
                self.put_participant(whose)
                if len(asked.track_sid) % 2:
                    self.put_track(whose, Track(sid=TrackSid(asked.track_sid), muted=False))
        return await super().perform(asked, grants)

    def _put(self, room: RoomName) -> bool:
        if len(room) % 2:
            self.put_room(room, metadata=json.dumps({"auth_id": TENANT}))
        return room in self.metadata


MODES: Mapping[str, tuple[str, ...]] = {
    "without authentication": (),
    "with a signed token": ("AUTH_API_SECRET", "AUTH_JWT_PUBLIC_KEY_PATH"),
    "with an authentication service": ("AUTH_SERVICE_URL", "AUTH_SIGNING_KEY_PATH"),
}


def signed() -> str:
    return signer("EdDSA").sign({"sub": TENANT, "exp": int(time.time()) + 86_400})


async def recognise(question: Question) -> web.StreamResponse:
    known = question.data["token"] == TOKEN
    return web.json_response({"id": TENANT}) if known else web.Response(status=401)


@pytest.fixture
async def livekit(aiohttp_server: AiohttpServer) -> Mapping[str, str]:
    """Settings for a LiveKit that answers all there is to ask."""
    double = LiveKitDouble(
        api_key="devkey",
        api_secret="a-secret-of-at-least-32-characters",
        rooms=HalfTheWorld(remote_unmute=True, absent_wait_s=60.0),
    )
    server = await aiohttp_server(double.app())
    return {
        "LIVEKIT_URL": str(server.make_url("/")),
        "LIVEKIT_API_KEY": double.api_key,
        "LIVEKIT_API_SECRET": double.api_secret,
        "LIVEKIT_PROBE_DELAY_SECONDS": "0.001",  # or each absent participant takes a tenth
    }


@pytest.fixture
async def sources(tmp_path: Path) -> AsyncIterator[Mapping[str, str]]:
    """Settings for every source of identity, of which a mode has some."""
    (tmp_path / "public.pem").write_bytes(signer("EdDSA").pem)
    (tmp_path / "signing.pem").write_bytes(usual_keys().pem)
    async with AuthenticationService(respond=recognise).running() as service:
        yield {
            "AUTH_API_SECRET": "secret-of-another",
            "AUTH_JWT_PUBLIC_KEY_PATH": str(tmp_path / "public.pem"),
            "AUTH_SERVICE_URL": service.url,
            "AUTH_SIGNING_KEY_PATH": str(tmp_path / "signing.pem"),
        }


async def fuzz(url: str, token: str, folder: Path, length: Length) -> Mapping[str, Any]:
    """Let schemathesis loose on a service, and give its report."""
    options = ["--max-examples", str(length(short=10, full=2200))]
    if not length.soaks:
        options += ["--seed", "1"]  # else the tests were not the same from run to run
    if token:
        options += ["--header", f"Authorization: Bearer {token}"]
    process = await asyncio.create_subprocess_exec(
        *(SCHEMATHESIS, "run", DOCUMENT, "--url", url, "--checks", "all"),
        *("--report-json-path", "report.json", "--generation-database", "none", *options),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    report: dict[str, Any] = json.loads((folder / "report.json").read_bytes())
    return report


@pytest.fixture(params=[*MODES])
def asked(
    request: pytest.FixtureRequest,
    start: Run,
    livekit: Mapping[str, str],
    sources: Mapping[str, str],
) -> tuple[Running, str]:
    """Start the command in a mode, and give it with a token that it knows, if it looks at any."""
    own = {name: value for name, value in sources.items() if name in MODES[request.param]}
    return start(**livekit, **own), TOKEN if "AUTH_SERVICE_URL" in own else signed() if own else ""


class TestTheDocument:
    async def test_is_what_the_service_does(
        self, asked: tuple[Running, str], tmp_path: Path, length: Length, figures: Figures
    ) -> None:
        running, token = asked
        report = await fuzz(running.url, token, tmp_path, length)
        cases = report["test_cases"]
        figures.at_least("cases", cases["generated"], length(short=100, full=7000))
        figures.at_most("failures", cases["with_failures"] + cases["errored"], 0)
        told = Counter(event.get("code") for event in running.events)
        for code in ("OK", "INVALID_REQUEST", "PARTICIPANT_NOT_FOUND", "TRACK_NOT_FOUND"):
            figures.note(code, told[code])
        mutes = report["valid_rates"]["POST /livekit/participant/mute"]["fuzzing"]
        figures.at_least("tracks muted by chance", mutes["accepted"], 1)
