import json

import pytest
from livekit.api import ListRoomsResponse
from livekit.api.twirp_client import ServerErrorCode
from livekit.protocol.models import Room

from adapters.livekit.causes import REFUSALS, redirect_target
from adapters.livekit.errors import (
    MEANINGS,
    AbsentError,
    AnswerTooLargeError,
    PreconditionFailedError,
    TokenRefusedError,
    error_of,
)
from application.ports.room_gateway import (
    RoomGatewayError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)
from tests.support.imports import PROJECT

REFUSED = "invalid token: s3cret, error:"
JOSE = f"{REFUSED} go-jose/go-jose/jwt"
CODES = {value for name, value in vars(ServerErrorCode).items() if name.isupper()}
UNREAD: tuple[object, ...] = (None, [], "unknown", "of_a_proxy")
TEMPORARY = (
    ServerErrorCode.CANCELED,
    ServerErrorCode.UNKNOWN,
    ServerErrorCode.DEADLINE_EXCEEDED,
    ServerErrorCode.UNIMPLEMENTED,
    ServerErrorCode.INTERNAL,
    ServerErrorCode.UNAVAILABLE,
    ServerErrorCode.DATA_LOSS,
)


def answered(code: object, status: int, text: str = "s3cret") -> RoomGatewayError:
    return error_of(status, json.dumps({"code": code, "msg": text}).encode())


class TestErrorOf:
    def test_knows_every_code_of_the_vendor(self) -> None:
        assert len(CODES) == 18
        assert set(MEANINGS) == CODES

    def test_maps_any_5xx_to_unavailable(self) -> None:
        wrong = {
            (code, status)
            for code in CODES
            for status in (500, 501, 502, 503, 504, 599)
            if type(answered(code, status)) is not RoomGatewayUnavailableError
        }
        assert wrong == set()

    def test_maps_401_and_403_to_refused(self) -> None:
        """A token that was read and lacks a grant would lack it signed anew, too."""
        wrong = {
            (code, status)
            for code in CODES - {"unknown"}
            for status in (401, 403)
            if type(answered(code, status)) is not RoomGatewayRefusedError
        }
        assert wrong == set()
        for code in UNREAD:
            assert type(answered(code, 401)) is TokenRefusedError
            assert type(answered(code, 403)) is RoomGatewayRefusedError

    @pytest.mark.parametrize(
        ("code", "status", "expected"),
        [
            ("not_found", 404, AbsentError),
            ("failed_precondition", 412, PreconditionFailedError),
            ("canceled", 408, RoomGatewayUnavailableError),
            ("deadline_exceeded", 408, RoomGatewayUnavailableError),
            ("bad_route", 404, RoomGatewayRefusedError),
            ("invalid_argument", 400, RoomGatewayRefusedError),
            ("resource_exhausted", 429, RoomGatewayRefusedError),
            ("invented_since", 418, RoomGatewayRefusedError),
            ("unknown", 404, RoomGatewayUnavailableError),
            ("not_found", 204, RoomGatewayUnavailableError),
            ("not_found", 399, RoomGatewayUnavailableError),
            ("not_found", 499, AbsentError),
            (None, 404, RoomGatewayUnavailableError),
            ([], 404, RoomGatewayUnavailableError),
        ],
    )
    def test_maps_other_answers_by_their_code(
        self, code: object, status: int, expected: type[RoomGatewayError]
    ) -> None:
        assert type(answered(code, status)) is expected

    def test_maps_a_code_to_unavailable_only_where_a_retry_may_help(self) -> None:
        expected: dict[str, type[RoomGatewayError]] = {
            **dict.fromkeys(CODES, RoomGatewayRefusedError),
            "not_found": AbsentError,
            "failed_precondition": PreconditionFailedError,
            **dict.fromkeys(TEMPORARY, RoomGatewayUnavailableError),
        }
        assert {code: type(answered(code, 400)) for code in CODES} == expected

    def test_states_the_status_and_a_known_code(self) -> None:
        errors = [answered("not_found", 404), answered("s3cret", 400), answered(None, 502)]
        assert [error.reason for error in errors] == [
            "answered 404 with not_found",
            "answered 400 with an unknown code",
            "answered 502 without a code, as a proxy or another server does",
        ]

    def test_states_the_cause_that_livekit_names(self) -> None:
        """Its texts, as 1.13.5 and 1.9.11 sent them."""
        texts = {
            (401, "invalid API key: s3cret"): "know the API key",
            (401, f"{REFUSED} token signature is invalid: signature is invalid"): "another secret",
            (401, f"{REFUSED} go-jose/go-jose: error in cryptographic primitive"): "another secret",
            (401, f"{REFUSED} token has invalid claims: token is expired"): "clock is behind",
            (401, f"{JOSE}: validation failed, token is expired (exp)"): "clock is behind",
            (401, f"{REFUSED} token has invalid claims: token is not valid yet"): "clock is ahead",
            (401, f"{JOSE}: validation failed, token not valid yet (nbf)"): "clock is ahead",
            (401, f"{JOSE}: validation field, token issued in the future (iat)"): "clock is ahead",
            (401, "invalid authorization token"): "was changed on the way",
            (404, "404 page not found\n"): "no API of LiveKit's at this path",
            (400, "Client sent an HTTP request to an HTTPS server.\n"): "expects TLS",
            (500, "s3cret: dial tcp 10.0.0.1:6379: connect: connection refused"): "Redis",
        }
        reasons = {case: answered(None, case[0], case[1]).reason for case in texts}
        wrong = {case: reasons[case] for case, cause in texts.items() if cause not in reasons[case]}
        assert wrong == {}
        assert not [reason for reason in reasons.values() if "s3cret" in reason or "10.0" in reason]

    def test_states_the_cause_beside_a_code(self) -> None:
        reason = answered("unauthenticated", 401, "permissions denied").reason
        assert reason.startswith("answered 401 with unauthenticated: the token lacks the grant")

    def test_repeats_no_text_of_livekits(self) -> None:
        errors = [answered(code, status) for code in ("s3cret", None) for status in (400, 401, 500)]
        assert "s3cret" not in "".join(f"{error!r}{error.reason}" for error in errors)


class TestCauses:
    def test_are_all_in_the_reference_of_the_log(self) -> None:
        reference = (PROJECT / "docs" / "log.md").read_text()
        assert {cause for cause in REFUSALS.values() if f"`{cause}`" not in reference} == set()


class TestRedirectTarget:
    def test_is_scheme_and_host_alone(self) -> None:
        targets = {
            "https://livekit.test/s3cret?s3cret#s3cret": "https://livekit.test",
            "http://s3cret:s3cret@LiveKit.test:81/": "http://livekit.test:81",
            "//livekit.test/s3cret": "livekit.test",
            "https://[::1]:7880/": "https://[::1]:7880",
            "s3cret://livekit.test/": "livekit.test",
            "/s3cret": "the same host",
            "?s3cret": "the same host",
            "": "the same host",
            "https://s3cret%20s3cret/": "an invalid address",
            "http://livekit.test:s3cret/": "an invalid address",
            "http://[s3cret": "an invalid address",
        }
        assert {location: redirect_target(location) for location in targets} == targets


class TestAnswerTooLargeError:
    def test_is_about_the_room_that_the_answer_begins_with(self) -> None:
        room = Room(sid="RM_1", name="room", metadata="x" * 100)
        beginning = ListRoomsResponse(rooms=[room]).SerializeToString()[:50]
        error = AnswerTooLargeError(beginning=beginning)
        assert error.is_about("room")
        for name in ("roo", "rooms", "Room", "RM_1"):
            assert not error.is_about(name)
        for other in (b"", b"\x0a" * 50, b"<html>" + beginning):
            assert not AnswerTooLargeError(beginning=other).is_about("room")
