"""Secrets placed wherever a request or an upstream can; none may be logged or returned."""

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

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.in_memory.rooms import InMemoryRooms
from contract.livekit_double import LiveKitDouble
from contract.livekit_messages import TURN_PASSWORD
from contract.livekit_rooms import LiveKitRooms
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, PublishedTrack, TrackSid
from entrypoints.container import Container
from entrypoints.settings.settings import load_settings
from tests.adapters.identity.cases.authentication_service import (
    AuthenticationService,
    AuthRequest,
    usual_keys,
)
from tests.entrypoints.http.observers.failing import FaultyGateway
from tests.robustness.clients import LONGEST_TIMEOUTS
from tests.robustness.metrics import Length, Metrics
from tests.robustness.secret_places import KEY, KNOWN, PLACES, Place, signed
from tests.support.command import TIMEOUT_S, Run, Running
from tests.support.secret_scan import keep, search
from tests.support.service import running_service
from tests.support.timeouts import HOUR_S

pytestmark = pytest.mark.robustness("secrets")

PACKAGES = ("domain", "application", "adapters", "entrypoints")


def new_secret(place: str) -> str:
    return keep(f"s3cret-{secrets.token_hex(16)}", f"secret placed as {place}")


@frozen
class Upstreams:
    """LiveKit and the authentication service, their settings, and the secrets in these."""

    livekit: LiveKitDouble
    variables: Mapping[str, str]
    secrets_placed: Mapping[str, str]
    responses: list[web.Response] = field(factory=list)
    """The next response of the authentication service."""


@pytest.fixture
async def upstreams(tmp_path: Path, aiohttp_server: AiohttpServer) -> AsyncIterator[Upstreams]:
    names = ("LiveKit's secret", "metadata", "the service's URL")
    secrets_placed = {
        **{name: new_secret(name) for name in names},
        "turn_password": keep(TURN_PASSWORD),
    }
    responses: list[web.Response] = []

    async def respond(_: AuthRequest) -> web.StreamResponse:
        return responses.pop()

    double = LiveKitDouble(
        api_key="devkey",
        api_secret=secrets_placed["LiveKit's secret"],
        rooms=LiveKitRooms(remote_unmute=True, absent_wait_s=HOUR_S),
    )
    participant = Participant(room=RoomName("demo-room"), identity=ParticipantIdentity("alice"))
    metadata = {"auth_id": "tenant-a", secrets_placed["metadata"]: secrets_placed["metadata"]}
    double.rooms.put_room(participant.room, metadata=json.dumps(metadata))
    double.rooms.put_participant(participant)
    double.rooms.put_track(participant, PublishedTrack(sid=TrackSid("TR_demo_mic"), muted=False))
    files = {
        "AUTH_API_SECRETS_FILE": json.dumps([{"id": "tenant-a", "secret": KNOWN}]).encode(),
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
            "AUTH_SERVICE_URL": str(
                URL(service.url).with_query(secrets_placed["the service's URL"])
            ),
            **LONGEST_TIMEOUTS,
            "BODY_TIMEOUT_SECONDS": "0.5",
            "LOG_LEVEL": "debug",
        }
        yield Upstreams(double, variables, secrets_placed, responses)


@contextmanager
def replaced(file: Path, text: str) -> Iterator[None]:
    content = file.read_bytes()
    file.write_text(text)
    yield
    file.write_bytes(content)


def reload(running: Running) -> None:
    """Make the command reload its files, and wait until it is logged."""
    before = running.log.read_text().count("reload")
    running.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + TIMEOUT_S
    while running.log.read_text().count("reload") == before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def reprs_of_all_objects() -> dict[str, str]:
    """Return the reprs of all objects of our classes, by class."""
    texts = defaultdict[str, str](str)
    for each in gc.get_objects():
        ours = str(type(each).__module__).partition(".")[0] in PACKAGES
        if ours and not isinstance(
            each, ClientResponse
        ):  # participant repr breaks it before it began
            texts[type(each).__qualname__] += f"{each} {each!r}\n"
    return texts


async def response_to(url: str, place: Place, secret: str, upstreams: Upstreams) -> bytes:
    """Send a request with a secret in a place, and return the whole response."""
    failing = upstreams.livekit.always(place.livekit(secret)) if place.livekit else nullcontext()
    upstreams.responses[:] = [place.service(secret) if place.service else web.Response(status=401)]
    reader, writer = await asyncio.open_connection(URL(url).host, URL(url).port)
    try:
        with failing:
            writer.write(place.request(secret))
            return await asyncio.wait_for(reader.read(), TIMEOUT_S)
    finally:
        writer.close()
        await writer.wait_closed()


class TestSecrets:
    @pytest.mark.parametrize("format_", ["json", "console"])
    async def test_are_in_no_response_and_no_log(
        self, start: Run, upstreams: Upstreams, format_: str, length: Length, metrics: Metrics
    ) -> None:
        running = start(**upstreams.variables, LOG_FORMAT=format_)
        secrets_placed, answers = [*upstreams.secrets_placed.values()], list[bytes]()
        for _ in range(length(short=1, full=100)):
            for name, place in PLACES.items():
                secrets_placed.append(new_secret(name))
                answers.append(await response_to(running.url, place, secrets_placed[-1], upstreams))
                assert answers[-1].split(b" ", 2)[1] == b"%d" % place.status, name
        running.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(running.process.wait, TIMEOUT_S) == 0
        log = running.log.read_bytes()
        metrics.note("places", len(PLACES) + len(upstreams.secrets_placed))
        metrics.at_least("lines of the log", log.count(b"\n"), len(answers))
        written = log + b"".join(answers)
        metrics.at_most("found", sum(secret.encode() in written for secret in secrets_placed), 0)

    @pytest.mark.parametrize("format_", ["json", "console"])
    def test_are_not_in_the_errors_of_broken_files(
        self, start: Run, upstreams: Upstreams, format_: str, metrics: Metrics
    ) -> None:
        running = start(**upstreams.variables, LOG_FORMAT=format_)
        files = [name for name in upstreams.variables if name.endswith(("_FILE", "_PATH"))]
        secrets_placed = [new_secret(name) for name in files]
        for name, secret in zip(files, secrets_placed, strict=True):
            for broken in (f"{secret} {secret}", f'[{{"id": "{secret}", "secret": 1}}]\n\n'):
                with replaced(Path(upstreams.variables[name]), broken):
                    reload(running)
        log = running.log.read_text()
        metrics.at_least("broken files", log.count("reload failed"), 2 * len(files))
        metrics.at_most("found", sum(secret in log for secret in secrets_placed), 0)

    async def test_are_in_no_repr_during_a_call_to_livekit(
        self, upstreams: Upstreams, metrics: Metrics
    ) -> None:
        container = Container(settings=load_settings(upstreams.variables))
        texts = {"Container": f"{container} {container!r}"}

        async def collect(_: web.Request) -> web.StreamResponse:
            texts.update(reprs_of_all_objects())
            return web.Response(status=500)

        credentials = (KNOWN, signed(new_secret("claims")), new_secret("a token"))
        async with running_service(
            open_gateway=container.open_gateway, open_authenticator=container.open_authenticator
        ) as service:
            for credential in credentials:
                upstreams.responses[:] = [web.json_response({"id": "tenant-a"})]
                upstreams.livekit.fail_next("ListRooms", collect)
                answer = await service.mute(token=credential)
                assert answer.outcome == (500, "LIVEKIT_UNAVAILABLE")
        metrics.at_least("kinds of objects", len(texts), 20)
        hidden = (
            *credentials,
            *upstreams.secrets_placed.values(),
        )  # objects of other tests may hold theirs
        assert not {kind for kind, text in texts.items() if any(each in text for each in hidden)}

    async def test_are_not_in_the_stack_of_an_internal_error(self) -> None:
        gateway = FaultyGateway(
            InMemoryRooms(remote_unmute=True), ZeroDivisionError(new_secret("an error"))
        )
        async with running_service(
            open_gateway=lambda: nullcontext(gateway),
            open_authenticator=lambda: nullcontext(AnonymousAuthenticator()),
        ) as service:
            answer = await service.mute(token=new_secret("a token"))
        [event] = service.events
        assert answer.outcome == (500, "INTERNAL_ERROR")
        assert "in mute_track" in str(event["stack"])
        assert not search(f"{event} {answer}")


LEAKING = """
import pytest
from tests.support.secret_scan import scan_for_secrets, keep

SECRET = keep("xyz" + "zy", "password")

@pytest.mark.parametrize(
    "text",
    [SECRET, "X-S3cRet: 1", f"eyJhbGciOi.{'x' * 20}.{'y' * 43}", "-----BEGIN PRIVATE KEY-----"],
    ids=["registered", "pattern", "token", "key"],
)
def test_answers(text):
    scan_for_secrets("an answer", f"HTTP/1.1 200 OK {text}")

def test_prints():
    print(SECRET)

def test_keeps():
    scan_for_secrets("an answer", "nothing")
"""


def test_a_leak_fails_its_test(tmp_path: Path) -> None:
    (tmp_path / "test_leaks.py").write_text(LEAKING)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.support.secret_scan", tmp_path],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "5 errors" in done.stdout
    assert "xyzzy" not in done.stdout
