"""What the service tells of itself at its start."""

import asyncio
import json
from collections.abc import Mapping, Sequence

import pytest

from entrypoints.version import VERSION
from tests.support.command import TIMEOUT_S, Run, Running
from tests.support.server_process import free_ports

SECRETS = [
    {"id": id_, "secret": f"s3cret-of-{id_}-{number}"} for id_ in ("a", "b") for number in (1, 2)
]


def told(running: Running, *texts: str) -> Sequence[Mapping[str, object]]:
    """Wait for events, end the service, and return the events."""
    for text in texts:
        running.wait_for(text)
    running.process.terminate()
    assert running.process.wait(TIMEOUT_S) == 0
    return [next(each for each in running.events if each["event"] == text) for text in texts]


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
        [event] = told(running, "configuration")
        assert event["version"] == VERSION
        assert event["livekit"] == variables["LIVEKIT_URL"]
        assert event["sources"] == (
            "api-secrets (4 secrets of 2 tenants), signed-tokens (keys #1 (EdDSA))"
        )
        assert str(event["limits"]).startswith("7 requests in flight, 2048 connections, 10 s a")

    def test_tells_that_livekit_cannot_be_used(self, start: Run) -> None:
        port = free_ports(1)[0]
        url = f"ws://127.0.0.1:{port}"
        running = start(LIVEKIT_URL=url, LIVEKIT_API_KEY="key", LIVEKIT_API_SECRET="s" * 32)
        verdict, event = told(running, "LiveKit cannot be used yet", "configuration")
        assert verdict["reason"] == f"cannot connect to 127.0.0.1:{port}: connection refused"
        assert event["sources"] == "none, authentication is off"

    def test_does_not_call_livekit_in_the_demo(self, start: Run) -> None:
        running = start("--gateway", "in-memory")
        [event] = told(running, "configuration")
        assert event["livekit"] == "not called"

    @pytest.mark.parametrize(("port", "where"), [("", "off"), ("0", "port 0")])
    def test_tells_where_metrics_are(self, start: Run, port: str, where: str) -> None:
        running = start("--gateway", "in-memory", METRICS_PORT=port)
        [event] = told(running, "configuration")
        assert event["metrics"] == where


async def test_it_tells_that_livekit_can_be_used(start: Run, variables: dict[str, str]) -> None:
    running = await asyncio.to_thread(start, **variables)
    await asyncio.to_thread(told, running, "LiveKit can be used")


async def test_it_tells_which_sources_are_asked_elsewhere(
    start: Run, variables: dict[str, str], signing_key: str
) -> None:
    elsewhere = {
        "AUTH_JWKS_URL": "http://127.0.0.1:9/keys?code=s3cret",
        "AUTH_SERVICE_URL": "http://127.0.0.1:9/auth?code=s3cret",
        "AUTH_SIGNING_KEY_PATH": signing_key,
    }
    running = await asyncio.to_thread(start, **variables, **elsewhere)
    [event] = await asyncio.to_thread(told, running, "configuration")
    assert event["sources"] == (
        "api-secrets (1 secret of 1 tenant), signed-tokens (keys of http://127.0.0.1:9/keys),"
        " authentication-service (http://127.0.0.1:9/auth)"
    )
