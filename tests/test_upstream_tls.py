"""Upstreams with certificates of a private CA, and the environment's proxies, as documented."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from attrs import frozen
from yarl import URL

from adapters.in_memory.demo import DEMO
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.track import PublishedTrack
from tests.adapters.identity.cases.key_set_server import IssuerKey
from tests.entrypoints.conftest import write_key
from tests.support.certificates import Authority
from tests.support.command import Run, Running
from tests.support.service import DEMO_REQUEST, MUTE

HOST = "127.0.0.1"
ISSUER = IssuerKey("a")
API_SECRET = "s3cret-of-the-demo"
OTHER_TOKEN = "s3cret-of-the-authentication-service"
LIVEKIT_SECRET = "s3cret-of-livekit-with-over-thirty-two-bytes"
PROXY = "http://127.0.0.1:9"
PROXIES = {
    name: PROXY
    for each in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY", "WSS_PROXY")
    for name in (each, each.lower())
}
"""A proxy at which nothing listens."""


def livekit() -> web.Application:
    rooms = LiveKitRooms(remote_unmute=True)
    rooms.put_room(DEMO.participant.room, metadata=f'{{"auth_id": "{DEMO.tenant}"}}')
    rooms.put_participant(DEMO.participant)
    rooms.put_track(DEMO.participant, PublishedTrack(sid=DEMO.track_sid, muted=False))
    return LiveKitDouble(api_key="key", api_secret=LIVEKIT_SECRET, rooms=rooms).app()


def answering(path: str, body: Mapping[str, object]) -> web.Application:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body)

    app = web.Application()
    app.router.add_route("*", path, answer)
    return app


@frozen
class Upstreams:
    """Servers with certificates of the CA in the file ``ca``, as settings name them."""

    ca: str
    settings: Mapping[str, str]


@pytest.fixture
async def upstreams(tmp_path: Path) -> AsyncIterator[Upstreams]:
    authority = Authority(tmp_path)
    context = authority.serve(HOST)
    apps = {
        "LIVEKIT_URL": livekit(),
        "AUTH_JWKS_URL": answering("/keys", {"keys": [ISSUER.entry]}),
        "AUTH_SERVICE_URL": answering("/auth", {"id": DEMO.tenant}),
    }
    paths = {"LIVEKIT_URL": "", "AUTH_JWKS_URL": "/keys", "AUTH_SERVICE_URL": "/auth"}
    async with AsyncExitStack() as stack:
        ports = {}
        for name, app in apps.items():
            running = TestServer(app, host=HOST)
            await running.start_server(ssl=context)
            stack.push_async_callback(running.close)
            ports[name] = running.port
        yield Upstreams(
            str(authority.file),
            {
                "AUTH_API_SECRET": API_SECRET,
                "AUTH_API_SECRET_ID": DEMO.tenant,
                "LIVEKIT_API_KEY": "key",
                "LIVEKIT_API_SECRET": LIVEKIT_SECRET,
                "AUTH_SIGNING_KEY_PATH": write_key(tmp_path / "signing.pem", private=True),
                **{name: f"https://{HOST}:{ports[name]}{paths[name]}" for name in apps},
            },
        )


async def statuses(running: Running) -> dict[str, int]:
    """Mute with a token that each upstream is asked about; LiveKit is asked by all of them."""
    tokens = {
        "LiveKit": API_SECRET,
        "key server": ISSUER.sign(),
        "authentication service": OTHER_TOKEN,
    }
    found = {}
    async with aiohttp.ClientSession(running.url) as session:
        for upstream, token in tokens.items():
            headers = {"Authorization": f"Bearer {token}"}
            async with session.post(MUTE, json=DEMO_REQUEST, headers=headers) as response:
                found[upstream] = response.status
    return found


class TestUpstreams:
    async def test_are_reached_with_a_private_ca_and_without_a_proxy(
        self, start: Run, upstreams: Upstreams
    ) -> None:
        trusting = {**upstreams.settings, "SSL_CERT_FILE": upstreams.ca, **PROXIES}
        running = await asyncio.to_thread(start, **trusting)
        assert await statuses(running) == {
            "LiveKit": 200,
            "key server": 200,
            "authentication service": 200,
        }

    async def test_are_not_reached_if_their_ca_is_unknown(
        self, start: Run, upstreams: Upstreams
    ) -> None:
        running = await asyncio.to_thread(start, **upstreams.settings)
        assert await statuses(running) == {
            "LiveKit": 500,
            "key server": 503,
            "authentication service": 503,
        }
        [refresh, *_] = [each for each in running.events if each["event"] == "JWKS refresh failed"]
        key_server = str(URL(upstreams.settings["AUTH_JWKS_URL"]).authority)
        cause = "the certificate is signed by an unknown authority"
        assert refresh["reason"] == f"cannot connect to {key_server}: {cause}"
