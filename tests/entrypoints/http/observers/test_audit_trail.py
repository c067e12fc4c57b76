"""The events of the audit trail, each held to its JSON Schema."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from attrs import frozen
from jsonschema import Draft202012Validator

from adapters.identity.api_secrets import ApiSecretsAuthenticator
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from adapters.rates.moving_window import MovingWindow
from domain.rate import Rate
from entrypoints.http.api.error_responses import ERROR_RESPONSES
from entrypoints.http.observers.audit_trail import audit_trail
from tests.entrypoints.http.conftest import DEMO_TOKEN, OTHER_TOKEN, Serve
from tests.entrypoints.http.observers.failing import (
    AFTER_AUTHENTICATION,
    IN_AUTHENTICATION,
    FailingAuthenticator,
    FaultyGateway,
)
from tests.support.imports import PROJECT
from tests.support.service import MUTE, Service

SCHEMA = json.loads((PROJECT / "contract" / "audit-event.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
NEVER_AUTHENTICATED = {"NOT_FOUND", "METHOD_NOT_ALLOWED", "NOT_READY"}


@frozen
class Trail:
    """Services whose audit trail is kept."""

    serve: Serve
    events: list[dict[str, Any]]

    async def start(self, **parts: Any) -> Service:
        return await self.serve(observers=[audit_trail(self.events.append)], **parts)

    @property
    def invalid(self) -> Mapping[str, str]:
        """What is wrong with the events that were written, by code."""
        wrong = {
            event["code"]: error.message
            for event in self.events
            for error in VALIDATOR.iter_errors(event)
        }
        declared = SCHEMA["properties"].keys()
        others = {name: "not declared" for event in self.events for name in event.keys() - declared}
        return wrong | others


@pytest.fixture
def trail(serve: Serve) -> Trail:
    return Trail(serve, [])


class TestAuditTrail:
    async def test_tells_who_asked_for_what_and_what_became_of_it(
        self, trail: Trail, api_secrets: ApiSecretsAuthenticator
    ) -> None:
        service = await trail.start(authenticator=api_secrets)
        answer = await service.mute(token=DEMO_TOKEN)
        [event] = trail.events
        assert trail.invalid == {}
        assert {**event, "timestamp": "", "elapsed_ms": 0} == {
            "event": "audit",
            "version": 1,
            "timestamp": "",
            "request_id": answer.headers["X-Request-ID"],
            "client": "127.0.0.1",
            "caller_id": "tenant-a",
            "source": "api-secrets",
            "credential": "of-the-demo",
            "room": "demo-room",
            "participant": "alice",
            "track": "TR_demo_mic",
            "muted_wanted": True,
            "muted": True,
            "method": "POST",
            "path": MUTE,
            "status": 200,
            "code": "OK",
            "elapsed_ms": 0,
        }

    async def test_has_each_request_that_reached_authentication_and_no_other(
        self, trail: Trail, api_secrets: ApiSecretsAuthenticator
    ) -> None:
        service = await trail.start(authenticator=api_secrets)
        bearer = {"Authorization": f"Bearer {OTHER_TOKEN}"}
        for path in ("/", "/livez", "/readyz", "/nowhere", MUTE):
            await service.ask("GET", path)
        await service.send(b"nonsense\r\n\r\n")
        assert trail.events == []
        await service.ask("POST", MUTE)
        await service.mute(token="s3cret-wrong")
        await service.post(b"{}", **bearer)
        await service.ask("POST", MUTE, data=b"{}", headers=bearer)
        await service.mute(token=OTHER_TOKEN, room_name="demo-room")
        found = [(event["code"], "source" in event, "room" in event) for event in trail.events]
        assert found == [
            ("UNAUTHORIZED", False, False),
            ("UNAUTHORIZED", False, False),
            ("INVALID_REQUEST", True, False),
            ("UNSUPPORTED_MEDIA_TYPE", True, False),
            ("ROOM_NOT_FOUND", True, True),
        ]
        assert trail.events[-1]["reason"] == "foreign"
        assert trail.invalid == {}

    async def test_is_valid_whatever_the_outcome(
        self, trail: Trail, gateway: InMemoryRoomGateway, api_secrets: ApiSecretsAuthenticator
    ) -> None:
        for make in AFTER_AUTHENTICATION:
            await (await trail.start(other_gateway=FaultyGateway(gateway.rooms, make()))).mute()
        for make in IN_AUTHENTICATION:
            await (await trail.start(authenticator=FailingAuthenticator(make()))).mute()
        limiter = MovingWindow(rate=Rate(quota=3, window_s=3600))
        service = await trail.start(authenticator=api_secrets, rate_limiter=limiter)
        await service.mute(token=DEMO_TOKEN)
        await service.mute(token=DEMO_TOKEN, muted=None)
        await service.ask("POST", MUTE, headers={"Authorization": f"Bearer {DEMO_TOKEN}"})
        await service.mute(token=DEMO_TOKEN)
        assert trail.invalid == {}
        codes = {row.code for row in ERROR_RESPONSES.values()} - NEVER_AUTHENTICATED
        assert {event["code"] for event in trail.events} == codes | {"OK"}

    async def test_has_names_as_a_whole(self, trail: Trail) -> None:
        names = {"room_name": "r" * 1000, "participant_identity": "\xe9" * 1000}
        await (await trail.start()).mute(**names)
        [event] = trail.events
        assert (event["room"], event["participant"]) == ("r" * 1000, "\xe9" * 1000)
        assert trail.invalid == {}


class TestSchema:
    @pytest.mark.parametrize(
        "change",
        [
            {"version": 2},
            {"event": "request"},
            {"timestamp": "2026-11-28 14:30:00"},
            {"muted": None},
            {"muted": "yes"},
            {"room": None},
            {"code": "ROOM_NOT_FOUND"},
            {"reason": "foreign"},
            {"trace_id": "x"},
        ],
    )
    async def test_rejects_what_contradicts_itself(
        self, trail: Trail, change: dict[str, object]
    ) -> None:
        await (await trail.start()).mute()
        [event] = trail.events
        assert list(VALIDATOR.iter_errors(event)) == []
        assert list(VALIDATOR.iter_errors(event | change)) != []

    def test_is_a_valid_schema(self) -> None:
        Draft202012Validator.check_schema(SCHEMA)
