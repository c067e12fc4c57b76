"""Secrets planted wherever one can stand; none may be in what the service writes or answers."""

import asyncio
import gc
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from aiohttp import ClientResponse, web
from attrs import field, frozen
from pytest_aiohttp import AiohttpServer
from yarl import URL

from adapters.identity.nobody import NobodyAuthenticator
from adapters.in_memory.rooms import InMemoryRooms
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import TURN_PASSWORD, LiveKitRooms
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, Track, TrackSid
from entrypoints.container import Container
from entrypoints.settings import load_settings
from tests.adapters.identity.authentication_service import (
    AuthenticationService,
    Question,
    usual_keys,
)
from tests.campaigns.figures import Figures, Length
from tests.campaigns.secret_places import KEY, KNOWN, PLACES, Place, signed
from tests.command import PATIENCE_S, Run, Running
from tests.entrypoints.http.test_audit import FaultyGateway
from tests.kept_secrets import keep, search
from tests.service import running_service

pytestmark = pytest.mark.campaign("secrets")

ROOMS = ("domain", "application", "adapters", "entrypoints")


def plant(place: str) -> str:
    return keep(f"s3cret-{secrets.token_hex(16)}", f"secret planted as {place}")


@frozen
class Surroundings:
    """LiveKit and the authentication service, the settings that lead there, and secrets in them."""

    livekit: LiveKitDouble
    variables: Mapping[str, str]
    planted: Mapping[str, str]
    says: list[web.Response] = field(factory=list)
    """What the authentication service says next; else it refuses."""


@pytest.fixture
async def around(tmp_path: Path, aiohttp_server: AiohttpServer) -> AsyncIterator[Surroundings]:
    names = ("LiveKit's secret", "metadata", "the service's URL")
    planted = {**{name: plant(name) for name in names}, "turn_password": keep(TURN_PASSWORD)}
    says: list[web.Response] = []

    async def respond(_: Question) -> web.StreamResponse:
        return says.pop()

    double = LiveKitDouble(
        api_key="devkey",
        api_secret=planted["LiveKit's secret"],
        rooms=LiveKitRooms(remote_unmute=True, absent_wait_s=60.0),
    )
    whose = Participant(room=RoomName("demo-room"), identity=ParticipantIdentity("alice"))
    metadata = {"auth_id": "demo", planted["metadata"]: planted["metadata"]}
    double.rooms.put_room(whose.room, metadata=json.dumps(metadata))
    double.rooms.put_participant(whose)
    double.rooms.put_track(whose, Track(sid=TrackSid("TR_demo_mic"), muted=False))
    files = {
        "AUTH_API_SECRETS_FILE": json.dumps([{"id": "demo", "secret": KNOWN}]).encode(),
        "AUTH_SIGNING_KEY_PATH": usual_keys().pem,
        "AUTH_JWT_PUBLIC_KEY_PATH": KEY.pem,
        "LIVEKIT_API_SECRET_FILE": double.api_secret.encode(),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    livekit = await aiohttp_server(double.app())
    async with AuthenticationService(respond=respond).running() as service:
        variables = {name: str(tmp_path / name) for name in files} | {
            "LIVEKIT_URL": str(livekit.make_url("/")),
            "LIVEKIT_API_KEY": double.api_key,
            "AUTH_SERVICE_URL": str(URL(service.url).with_query(planted["the service's URL"])),
            "BODY_TIMEOUT_SECONDS": "0.5",
            "LOG_LEVEL": "debug",
        }
        yield Surroundings(double, variables, planted, says)


@contextmanager
def replaced(file: Path, text: str) -> Iterator[None]:
    kept = file.read_bytes()
    file.write_text(text)
    yield
    file.write_bytes(kept)


def reload(running: Running) -> None:
    """Have the files read anew, and wait until the log says so."""
    before = running.log.read_text().count("reloaded")
    running.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + PATIENCE_S
    while running.log.read_text().count("reloaded") == before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def repr_of_all_there_is() -> dict[str, str]:
    """Give the texts of what is alive and of the service's own making, by its class."""
    texts = defaultdict[str, str](str)
    for each in gc.get_objects():
        ours = str(type(each).__module__).partition(".")[0] in ROOMS
        if ours and not isinstance(each, ClientResponse):  # whose repr breaks it before it began
            texts[type(each).__qualname__] += f"{each} {each!r}\n"
    return texts


async def shows(url: str, place: Place, secret: str, around: Surroundings) -> bytes:
    """Ask with a secret in a place, and give the whole of the answer."""
    if place.livekit:
        around.livekit.fail_next("ListRooms", place.livekit(secret))
    around.says[:] = [place.service(secret) if place.service else web.Response(status=401)]
    reader, writer = await asyncio.open_connection(URL(url).host, URL(url).port)
    try:
        writer.write(place.request(secret))
        return await asyncio.wait_for(reader.read(), PATIENCE_S)
    finally:
        writer.close()
        await writer.wait_closed()


class TestSecrets:
    @pytest.mark.parametrize("format_", ["json", "console"])
    async def test_are_in_no_answer_and_no_line_of_the_log(
        self, start: Run, around: Surroundings, format_: str, length: Length, figures: Figures
    ) -> None:
        running = start(**around.variables, LOG_FORMAT=format_)
        planted, answers = [*around.planted.values()], list[bytes]()
        for _ in range(length(short=1, full=100)):
            for name, place in PLACES.items():
                planted.append(plant(name))
                answers.append(await shows(running.url, place, planted[-1], around))
                assert answers[-1].split(b" ", 2)[1] == b"%d" % place.status, name
        running.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(running.process.wait, PATIENCE_S) == 0
        log = running.log.read_bytes()
        figures.at_least("places", len(PLACES) + len(around.planted), 14)
        figures.at_least("lines of the log", log.count(b"\n"), len(answers))
        written = log + b"".join(answers)
        figures.at_most("found", sum(secret.encode() in written for secret in planted), 0)

    @pytest.mark.parametrize("format_", ["json", "console"])
    def test_are_not_in_what_is_said_of_broken_files(
        self, start: Run, around: Surroundings, format_: str, figures: Figures
    ) -> None:
        running = start(**around.variables, LOG_FORMAT=format_)
        files = [name for name in around.variables if name.endswith(("_FILE", "_PATH"))]
        planted = [plant(name) for name in files]
        for name, secret in zip(files, planted, strict=True):
            for broken in (f"{secret} {secret}", f'[{{"id": "{secret}", "secret": 1}}]\n\n'):
                with replaced(Path(around.variables[name]), broken):
                    reload(running)
        log = running.log.read_text()
        figures.at_least("broken files", log.count("not reloaded"), 2 * len(files))
        figures.at_most("found", sum(secret in log for secret in planted), 0)

    async def test_are_in_the_repr_of_no_object_while_livekit_is_asked(
        self, around: Surroundings, figures: Figures
    ) -> None:
        container = Container(settings=load_settings(around.variables))
        texts = {"Container": f"{container} {container!r}"}

        async def look(_: web.Request) -> web.StreamResponse:
            texts.update(repr_of_all_there_is())
            return web.Response(status=500)

        credentials = (KNOWN, signed(plant("claims")), plant("a token"))
        async with running_service(
            open_gateway=container.open_gateway, open_authenticator=container.open_authenticator
        ) as service:
            for credential in credentials:
                around.says[:] = [web.json_response({"id": "demo"})]
                around.livekit.fail_next("ListRooms", look)
                answer = await service.mute(token=credential)
                assert answer.told == (500, "LIVEKIT_UNAVAILABLE")
        figures.at_least("kinds of objects", len(texts), 20)
        hidden = (*credentials, *around.planted.values())  # others may live on from other tests
        assert not {kind for kind, text in texts.items() if any(each in text for each in hidden)}

    async def test_are_not_in_the_stack_of_a_fault(self) -> None:
        gateway = FaultyGateway(InMemoryRooms(remote_unmute=True), bug=True)
        async with running_service(
            open_gateway=lambda: nullcontext(gateway),
            open_authenticator=lambda: nullcontext(NobodyAuthenticator()),
        ) as service:
            answer = await service.mute(token=plant("a token"))
        [event] = service.events
        assert answer.told == (500, "INTERNAL_ERROR")
        assert "in mute_track" in str(event["stack"])
        assert not search(f"{event} {answer}")


LEAKING = """
import pytest
from tests.entrypoints.http.test_audit import FaultyGateway
from tests.kept_secrets import hear, keep

SECRET = keep("xyz" + "zy", "password")

@pytest.mark.parametrize(
    "text",
    [SECRET, "X-S3cRet: 1", f"eyJhbGciOi.{'x' * 20}.{'y' * 43}", "-----BEGIN PRIVATE KEY-----"],
    ids=["kept", "marked", "token", "key"],
)
def test_answers(text):
    hear("an answer", f"HTTP/1.1 200 OK {text}")

def test_prints():
    print(SECRET)

def test_keeps():
    hear("an answer", "nothing")
"""


def test_a_leak_fails_the_test_that_leads_to_it(tmp_path: Path) -> None:
    (tmp_path / "test_leaks.py").write_text(LEAKING)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.kept_secrets", tmp_path],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "5 errors" in done.stdout
    assert "xyzzy" not in done.stdout
