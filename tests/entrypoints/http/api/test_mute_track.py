import json
from typing import Any

import pytest

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.ports.room_gateway import (
    RemoteUnmuteDisabledError,
    RoomGatewayError,
    RoomGatewayNotConfiguredError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)
from tests.entrypoints.http.conftest import DEMO_TOKEN, OTHER_TOKEN
from tests.support.service import DEMO_REQUEST, Service

MUTE_BODY = json.dumps(DEMO_REQUEST).encode()


class TestMuting:
    @pytest.mark.parametrize("muted", [True, False])
    async def test_is_idempotent_and_responds_with_the_state(
        self, service: Service, muted: bool
    ) -> None:
        for _ in range(2):
            answer = await service.mute(muted=muted)
            assert answer.status == 200
            assert answer.json == {**DEMO_REQUEST, "muted": muted}

    async def test_reaches_the_callers_own_room(self, guarded: Service) -> None:
        assert (await guarded.mute(token=DEMO_TOKEN)).status == 200

    async def test_ignores_unknown_fields(self, service: Service) -> None:
        assert (await service.mute(reason="noise", nested={"muted": False})).json["muted"] is True

    @pytest.mark.parametrize("name", ["Demo-room", " demo-room", "demo-room ", "demo-room\u0000"])
    async def test_uses_names_exactly_as_they_are(self, service: Service, name: str) -> None:
        assert (await service.mute(room_name=name)).outcome == (404, "PARTICIPANT_NOT_FOUND")
        assert (await service.mute(participant_identity=name)).outcome[0] == 404
        assert (await service.mute(track_sid=name)).outcome == (404, "TRACK_NOT_FOUND")


class TestNotFound:
    async def test_room(self, guarded: Service) -> None:
        answer = await guarded.mute(token=DEMO_TOKEN, room_name="nowhere")
        assert answer.outcome == (404, "ROOM_NOT_FOUND")

    async def test_participant(self, guarded: Service) -> None:
        answer = await guarded.mute(token=DEMO_TOKEN, participant_identity="bob")
        assert answer.outcome == (404, "PARTICIPANT_NOT_FOUND")

    async def test_track(self, guarded: Service) -> None:
        answer = await guarded.mute(token=DEMO_TOKEN, track_sid="TR_stale")
        assert answer.outcome == (404, "TRACK_NOT_FOUND")

    async def test_room_hides_whether_it_is_foreign_or_missing(self, guarded: Service) -> None:
        foreign = await guarded.mute(token=OTHER_TOKEN)
        missing = await guarded.mute(token=OTHER_TOKEN, room_name="nowhere")
        varying = ("Date", "X-Request-ID")
        kept = [
            {name: value for name, value in answer.headers.items() if name not in varying}
            for answer in (foreign, missing)
        ]
        assert foreign.status == missing.status == 404
        assert foreign.body == missing.body
        assert kept[0] == kept[1]


class TestGatewayErrors:
    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (RoomGatewayNotConfiguredError(missing=("LIVEKIT_URL",)), "LIVEKIT_NOT_CONFIGURED"),
            (RemoteUnmuteDisabledError(), "REMOTE_UNMUTE_DISABLED"),
            (RoomGatewayUnavailableError(reason="arranged"), "LIVEKIT_UNAVAILABLE"),
            (RoomGatewayRefusedError(reason="arranged"), "MUTE_FAILED"),
        ],
    )
    async def test_are_500_with_the_reason_in_the_log_only(
        self, service: Service, gateway: InMemoryRoomGateway, error: RoomGatewayError, code: str
    ) -> None:
        gateway.rooms.fail_next(error)
        answer = await service.mute()
        assert answer.outcome == (500, code)
        assert b"arranged" not in answer.body
        assert service.events[-1]["reason"] == error.reason
        assert (await service.mute()).status == 200

    async def test_name_the_setting_to_change(
        self, service: Service, gateway: InMemoryRoomGateway
    ) -> None:
        gateway.rooms.fail_next(RoomGatewayNotConfiguredError(missing=("LIVEKIT_URL",)))
        assert "LIVEKIT_URL" in (await service.mute()).json["error"]
        gateway.rooms.fail_next(RemoteUnmuteDisabledError())
        assert "room.enable_remote_unmute" in (await service.mute()).json["error"]


class TestBadRequests:
    @pytest.mark.parametrize("field", ["room_name", "participant_identity", "track_sid"])
    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            (None, "is missing"),
            ("", "must not be blank"),
            (" \t\u3000\x1f\x85", "must not be blank"),
            (1, "must be a string"),
            (True, "must be a string"),
            (["TR_demo_mic"], "must be a string"),
            ({}, "must be a string"),
        ],
    )
    async def test_name_the_text_field_and_its_problem(
        self, service: Service, field: str, value: object, problem: str
    ) -> None:
        changes: dict[str, Any] = {field: value}
        answer = await service.mute(**changes)
        assert answer.outcome == (400, "INVALID_REQUEST")
        assert answer.json["error"] == f"{field} {problem}"

    @pytest.mark.parametrize("value", ["true", "", 1, 0, 1.0, [], {}, "on"])
    async def test_accept_only_a_boolean_for_muted(self, service: Service, value: object) -> None:
        answer = await service.mute(muted=value)
        assert answer.json == {
            "error": "muted must be true or false",
            "code": "INVALID_REQUEST",
        }

    async def test_treat_null_as_a_wrong_type(self, service: Service) -> None:
        answer = await service.post(b'{"room_name": null, "participant_identity": null}')
        assert answer.json["error"] == (
            "room_name must be a string; participant_identity must be a string;"
            " track_sid is missing; muted is missing"
        )

    async def test_limit_the_track_sid(self, service: Service) -> None:
        assert (await service.mute(track_sid="x" * 128)).outcome == (404, "TRACK_NOT_FOUND")
        answer = await service.mute(track_sid="x" * 129)
        assert (
            answer.json["error"]
            == "track_sid is longer than 128 characters (MAX_TRACK_SID_CHARACTERS)"
        )

    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            (b"", "the body is not JSON"),
            (b"[]", "the body is not a JSON object"),
            (b"null", "the body is not a JSON object"),
            (b"{", "the body is not JSON"),
            (b'\xef\xbb\xbf{"muted": true}', "the body starts with a byte order mark"),
            (b'{"room_name": "\xff"}', "the body is not UTF-8"),
            (b'{"muted": true, "muted": false}', "muted is given twice"),
            (b'{"x": {"s3cret": 1, "s3cret": 2}}', "a field is given twice"),
            (b'{"muted": NaN}', "the body holds NaN, which is not JSON"),
            (b'{"room_name": "\\ud800"}', "the body holds a lone surrogate"),
            (b'{"x": ' + b"[" * 8000 + b"]" * 8000 + b"}", "the body is nested more than 64 deep"),
        ],
    )
    async def test_name_the_problem_of_the_body(
        self, service: Service, body: bytes, problem: str
    ) -> None:
        answer = await service.post(body)
        assert answer.outcome == (400, "INVALID_REQUEST")
        assert answer.json["error"] == problem


class TestMediaType:
    @pytest.mark.parametrize(
        "kind",
        [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            'application/json;charset="UTF-8"',
            "application/json; profile=x",
            'application/json ; profile="a; charset=latin-1 \\" b";; charset=utf-8; ',
            "application/vnd.api+json",
        ],
    )
    async def test_may_be_any_json_in_utf_8(self, service: Service, kind: str) -> None:
        assert (await service.post(MUTE_BODY, Content_Type=kind)).status == 200

    @pytest.mark.parametrize(
        "kind",
        [
            "",
            "text/plain",
            "text/json",
            "text/x+json",
            "application/json+x",
            "application/jsonp",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=latin-1",
            "application/json; charset=utf-16",
            "application/json; charset=utf-8; charset=latin-1",
            "application/json; charset",
            "application/json, application/json",
            f"application/{'(' * 240}",
            f"application/json{' ;' * 100}(",
            "json",
            ";",
        ],
    )
    async def test_is_rejected_otherwise(self, service: Service, kind: str) -> None:
        answer = await service.post(b"{}", Content_Type=kind)
        assert answer.outcome == (415, "UNSUPPORTED_MEDIA_TYPE")

    async def test_may_be_long(self, service: Service) -> None:
        kind = "application/json; profile=".ljust(4096, "x")
        assert (await service.post(MUTE_BODY, Content_Type=kind)).status == 200

    @pytest.mark.parametrize("encoding", ["gzip", "identity", "br", ""])
    async def test_allows_no_content_encoding(self, service: Service, encoding: str) -> None:
        answer = await service.post(b"{}", Content_Encoding=encoding)
        assert answer.outcome == (415, "UNSUPPORTED_MEDIA_TYPE")
