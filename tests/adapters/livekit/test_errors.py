import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from google.protobuf.message import DecodeError
from livekit.api.twirp_client import ServerError, ServerErrorCode

from adapters.livekit.errors import (
    FOREIGN_ERRORS,
    MEANINGS,
    AbsentError,
    ConnectionLostError,
    PreconditionFailedError,
    UnusableAnswerError,
    translate,
)
from application.ports.room_gateway import (
    RoomGatewayError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)

CODES = {value for name, value in vars(ServerErrorCode).items() if name.isupper()}
TEMPORARY = (
    ServerErrorCode.CANCELED,
    ServerErrorCode.UNKNOWN,
    ServerErrorCode.DEADLINE_EXCEEDED,
    ServerErrorCode.UNIMPLEMENTED,
    ServerErrorCode.INTERNAL,
    ServerErrorCode.UNAVAILABLE,
    ServerErrorCode.DATA_LOSS,
)
CANNOT_CONNECT = aiohttp.ClientConnectorDNSError(
    ConnectionKey(
        host="s3cret.test",
        port=80,
        is_ssl=False,
        ssl=True,
        proxy=None,
        proxy_auth=None,
        proxy_headers_hash=None,
    ),
    OSError("s3cret"),
)


def answered(code: object, status: int) -> RoomGatewayError:
    return translate(ServerError(code, "s3cret", status=status))  # type: ignore[arg-type]


class TestTranslate:
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
        wrong = {
            (code, status)
            for code in CODES
            for status in (401, 403)
            if type(answered(code, status)) is not RoomGatewayRefusedError
        }
        assert wrong == set()

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
            (None, 401, RoomGatewayRefusedError),
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
            "answered 502 with an unknown code",
        ]
        assert isinstance(ServerError("not_found", "s3cret", status=404), FOREIGN_ERRORS)

    @pytest.mark.parametrize(
        ("error", "expected", "reason"),
        [
            (TimeoutError("s3cret"), RoomGatewayUnavailableError, "no answer before the deadline"),
            (CANNOT_CONNECT, RoomGatewayUnavailableError, "cannot connect"),
            (ConnectionResetError("s3cret"), RoomGatewayUnavailableError, "call failed"),
            (aiohttp.ClientConnectionError("s3"), RoomGatewayUnavailableError, "call failed"),
            (aiohttp.ServerDisconnectedError("s3cret"), ConnectionLostError, "connection lost"),
            (aiohttp.ClientOSError("s3cret"), ConnectionLostError, "connection lost"),
            (aiohttp.ClientPayloadError("s3cret"), UnusableAnswerError, "answer incomplete"),
            (DecodeError("s3"), UnusableAnswerError, "answer is not the expected message"),
        ],
    )
    def test_states_what_else_went_wrong(
        self, error: Exception, expected: type[RoomGatewayError], reason: str
    ) -> None:
        assert isinstance(error, FOREIGN_ERRORS)
        assert type(translate(error)) is expected
        assert translate(error).reason == f"{reason} ({type(error).__name__})"

    def test_repeats_no_text_of_livekits(self) -> None:
        errors = [answered(code, status) for code in ("s3cret", None) for status in (400, 401, 500)]
        errors.append(translate(DecodeError("s3cret")))
        assert "s3cret" not in "".join(f"{error!r}{error.reason}" for error in errors)
