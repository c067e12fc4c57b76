"""What the service tells of itself at its start."""

import asyncio
import json
from collections.abc import Mapping

from entrypoints.version import VERSION
from tests.support.command import Run, Running
from tests.support.server_process import free_ports

SECRETS = [
    {"id": id_, "secret": f"s3cret-of-{id_}-{number}"} for id_ in ("a", "b") for number in (1, 2)
]


def event(running: Running, text: str) -> Mapping[str, object]:
    running.wait_for(text)
    return next(each for each in running.events if each["event"] == text)


class TestStart:
    def test_tells_what_the_service_runs_with(
        self, start: Run, public_key: str, variables: Mapping[str, str]
    ) -> None:
        others = {name: text for name, text in variables.items() if name.startswith("LIVEKIT")}
        running = start(
            AUTH_API_SECRETS_JSON=json.dumps(SECRETS),
            AUTH_JWT_PUBLIC_KEY_PATH=public_key,
            MAX_IN_FLIGHT="7",
            **others,
        )
        told = event(running, "configuration")
        assert told["version"] == VERSION
        assert told["livekit"] == variables["LIVEKIT_URL"]
        assert told["sources"] == (
            "api-secrets (4 secrets of 2 tenants), signed-tokens (keys #1 (EdDSA))"
        )
        assert str(told["limits"]).startswith("7 requests in flight, 2048 connections, 10 s a")

    def test_tells_that_livekit_cannot_be_used(self, start: Run) -> None:
        port = free_ports(1)[0]
        url = f"ws://127.0.0.1:{port}"
        running = start(LIVEKIT_URL=url, LIVEKIT_API_KEY="key", LIVEKIT_API_SECRET="s" * 32)
        told = event(running, "LiveKit cannot be used yet")
        assert told["reason"] == f"cannot connect to 127.0.0.1:{port}: connection refused"
        assert event(running, "configuration")["sources"] == "none, authentication is off"

    def test_does_not_call_livekit_in_the_demo(self, start: Run) -> None:
        running = start("--gateway", "in-memory")
        assert event(running, "configuration")["livekit"] == "not called"


async def test_it_tells_that_livekit_can_be_used(start: Run, variables: dict[str, str]) -> None:
    running = await asyncio.to_thread(start, **variables)
    await asyncio.to_thread(running.wait_for, "LiveKit can be used")


async def test_it_tells_which_sources_are_asked_elsewhere(
    start: Run, variables: dict[str, str], signing_key: str
) -> None:
    elsewhere = {
        "AUTH_JWKS_URL": "http://127.0.0.1:9/keys?code=s3cret",
        "AUTH_SERVICE_URL": "http://127.0.0.1:9/auth?code=s3cret",
        "AUTH_SIGNING_KEY_PATH": signing_key,
    }
    running = await asyncio.to_thread(start, **variables, **elsewhere)
    assert event(running, "configuration")["sources"] == (
        "api-secrets (1 secret of 1 tenant), signed-tokens (keys of a URL), authentication-service"
    )
