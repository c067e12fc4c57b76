import aiohttp
import pytest
from google.protobuf.message import DecodeError
from livekit.api.twirp_client import ServerError, ServerErrorCode

from adapters.livekit.errors import (
    FOREIGN_ERRORS,
    MEANINGS,
    AbsentError,
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
PASSING = (
    ServerErrorCode.CANCELED,
    ServerErrorCode.UNKNOWN,
    ServerErrorCode.DEADLINE_EXCEEDED,
    ServerErrorCode.UNIMPLEMENTED,
    ServerErrorCode.INTERNAL,
    ServerErrorCode.UNAVAILABLE,
    ServerErrorCode.DATA_LOSS,
)


def answered(code: object, status: int) -> RoomGatewayError:
    return translate(ServerError(code, "s3cret", status=status))  # type: ignore[arg-type]


class TestTranslate:
    def test_knows_every_code_of_the_vendor(self) -> None:
        assert len(CODES) == 18
        assert set(MEANINGS) == CODES

    @pytest.mark.parametrize("code", sorted(CODES))
    def test_takes_any_5xx_for_unavailable(self, code: str) -> None:
        for status in (500, 501, 502, 503, 504, 599):
            assert type(answered(code, status)) is RoomGatewayUnavailableError

    @pytest.mark.parametrize("code", sorted(CODES))
    def test_takes_401_and_403_for_refused_credentials(self, code: str) -> None:
        for status in (401, 403):
            assert type(answered(code, status)) is RoomGatewayRefusedError

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
            (None, 404, RoomGatewayUnavailableError),
            ([], 404, RoomGatewayUnavailableError),
            (None, 401, RoomGatewayRefusedError),
        ],
    )
    def test_takes_other_answers_by_their_code(
        self, code: object, status: int, expected: type[RoomGatewayError]
    ) -> None:
        assert type(answered(code, status)) is expected

    @pytest.mark.parametrize("code", sorted(CODES))
    def test_takes_a_code_for_unavailable_only_where_asking_again_may_help(self, code: str) -> None:
        expected: dict[str, type[RoomGatewayError]] = {
            "not_found": AbsentError,
            "failed_precondition": PreconditionFailedError,
            **dict.fromkeys(PASSING, RoomGatewayUnavailableError),
        }
        assert type(answered(code, 400)) is expected.get(code, RoomGatewayRefusedError)

    def test_says_the_status_and_the_code_if_it_is_one(self) -> None:
        errors = [answered("not_found", 404), answered("s3cret", 400), answered(None, 502)]
        assert [error.reason for error in errors] == [
            "answered 404 with not_found",
            "answered 400 with an unknown code",
            "answered 502 with an unknown code",
        ]
        assert isinstance(ServerError("not_found", "s3cret", status=404), FOREIGN_ERRORS)

    @pytest.mark.parametrize(
        "error",
        [
            aiohttp.ServerDisconnectedError("s3cret"),
            TimeoutError("s3cret"),
            ConnectionResetError("s3cret"),
        ],
    )
    def test_takes_everything_else_for_unavailable(self, error: Exception) -> None:
        assert isinstance(error, FOREIGN_ERRORS)
        assert type(translate(error)) is RoomGatewayUnavailableError

    @pytest.mark.parametrize("error", [aiohttp.ClientPayloadError("s3cret"), DecodeError("s3cret")])
    def test_tells_what_was_answered_but_cannot_be_used(self, error: Exception) -> None:
        assert isinstance(error, FOREIGN_ERRORS)
        assert type(translate(error)) is UnusableAnswerError

    def test_repeats_no_word_of_livekits(self) -> None:
        errors = [answered(code, status) for code in ("s3cret", None) for status in (400, 401, 500)]
        errors.append(translate(DecodeError("s3cret")))
        assert "s3cret" not in "".join(f"{error!r}{error.reason}" for error in errors)
