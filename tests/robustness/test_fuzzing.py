"""Requests that schemathesis generates from the OpenAPI document, sent to the command."""

import asyncio
import json
import subprocess
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
from domain.track import Participant, ParticipantIdentity, PublishedTrack, TrackSid
from tests.adapters.identity.cases.authentication_service import (
    AuthenticationService,
    AuthRequest,
    usual_keys,
)
from tests.adapters.identity.cases.keys import signer
from tests.robustness.clients import LONGEST_TIMEOUTS
from tests.robustness.metrics import Length, Metrics
from tests.support.command import Run, Running
from tests.support.timeouts import HOUR_S

pytestmark = pytest.mark.robustness("fuzzing")

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
DOCUMENT = str(Path(contract.__file__).with_name("openapi.yaml"))
TENANT = "tenant-a"
TOKEN = "secret-of-tenant-a"


@define(kw_only=True)
class OddRooms(LiveKitRooms):
    """Every room and track with a name of odd length exists, like those of the examples."""

    @override
    async def perform(self, asked: Message, grants: Grants) -> Message:
        match asked:
            case ListRoomsRequest():
                for name in asked.names:
                    self._put(RoomName(name))
            case MuteRoomTrackRequest() if self._put(RoomName(asked.room)):
                participant = Participant(
                    room=RoomName(asked.room), identity=ParticipantIdentity(asked.identity)
                )
                self.put_participant(participant)
                if len(asked.track_sid) % 2:
                    self.put_track(
                        participant, PublishedTrack(sid=TrackSid(asked.track_sid), muted=False)
                    )
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


async def recognise(sent: AuthRequest) -> web.StreamResponse:
    known = sent.data["token"] == TOKEN
    return web.json_response({"id": TENANT}) if known else web.Response(status=401)


@pytest.fixture
async def livekit(aiohttp_server: AiohttpServer) -> Mapping[str, str]:
    """Settings for a LiveKit in which half of all rooms exist."""
    double = LiveKitDouble(
        api_key="devkey",
        api_secret="a-secret-of-at-least-32-characters",
        rooms=OddRooms(remote_unmute=True, absent_wait_s=HOUR_S),
    )
    server = await aiohttp_server(double.app())
    return {
        "LIVEKIT_URL": str(server.make_url("/")),
        "LIVEKIT_API_KEY": double.api_key,
        "LIVEKIT_API_SECRET": double.api_secret,
        **LONGEST_TIMEOUTS,
        "LIVEKIT_PROBE_DELAY_SECONDS": "0.001",  # or each absent participant takes 0.1 s
    }


@pytest.fixture
async def sources(tmp_path: Path) -> AsyncIterator[Mapping[str, str]]:
    """Settings for every source of identity; each mode uses some."""
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
    """Run schemathesis against a service, and return its report."""
    options = ["--checks", "all", "--max-examples", str(length(short=10, full=2200))]
    options += ["--report-json-path", "report.json", "--generation-database", "none"]
    if not length.is_soak:
        options += ["--seed", "1"]  # or else each run would have other tests
    if token:
        options += ["--header", f"Authorization: Bearer {token}"]
    done = await asyncio.to_thread(
        subprocess.run,
        [SCHEMATHESIS, "run", DOCUMENT, "--url", url, *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    report: dict[str, Any] = json.loads((folder / "report.json").read_bytes())
    return report


@pytest.fixture(params=[*MODES])
def target(
    request: pytest.FixtureRequest,
    start: Run,
    livekit: Mapping[str, str],
    sources: Mapping[str, str],
) -> tuple[Running, str]:
    """Start the command in a mode; return it with a valid token, empty without authentication."""
    own = {name: value for name, value in sources.items() if name in MODES[request.param]}
    return start(**livekit, **own), TOKEN if "AUTH_SERVICE_URL" in own else signed() if own else ""


class TestTheDocument:
    async def test_describes_the_service(
        self, target: tuple[Running, str], tmp_path: Path, length: Length, metrics: Metrics
    ) -> None:
        running, token = target
        report = await fuzz(running.url, token, tmp_path, length)
        cases = report["test_cases"]
        metrics.at_least("cases", cases["generated"], length(short=100, full=7000))
        metrics.at_most("failures", cases["with_failures"] + cases["errored"], 0)
        codes = Counter(event.get("code") for event in running.events)
        for code in ("OK", "INVALID_REQUEST", "PARTICIPANT_NOT_FOUND", "TRACK_NOT_FOUND"):
            metrics.note(code, codes[code])
        mutes = report["valid_rates"]["POST /livekit/participant/mute"]["fuzzing"]
        metrics.at_least("tracks muted", mutes["accepted"], 1)
