import errno
import socket
import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from google.protobuf.message import DecodeError
from livekit.api import ListRoomsResponse
from livekit.api.twirp_client import ServerError, ServerErrorCode
from livekit.protocol.models import Room

from adapters.livekit.causes import (
    CERTIFICATE_FAULTS,
    OS_ERRORS,
    REFUSALS,
    RESOLVER_ERRORS,
    redirect_target,
)
from adapters.livekit.errors import (
    FOREIGN_ERRORS,
    MEANINGS,
    AbsentError,
    AnswerTooLargeError,
    ConnectionLostError,
    PreconditionFailedError,
    TokenRefusedError,
    UnusableAnswerError,
    translate,
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
HTTP_ERROR = aiohttp.ClientResponseError(None, (), message="s3cret")  # type: ignore[arg-type]


def cannot_connect(error: OSError, host: str = "livekit.test", port: int = 80) -> str:
    """Give the reason of a connection that could not be made."""
    key = ConnectionKey(
        host=host,
        port=port,
        is_ssl=False,
        ssl=True,
        proxy=None,
        proxy_auth=None,
        proxy_headers_hash=None,
    )
    return translate(aiohttp.ClientConnectorError(key, error)).reason


def certificate_error(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "s3cret")
    error.verify_code = code
    return error


def tls_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, "s3cret")
    error.reason = reason
    return error


def answered(code: object, status: int, text: str = "s3cret") -> RoomGatewayError:
    return translate(ServerError(code, text, status=status))  # type: ignore[arg-type]


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
        assert isinstance(ServerError("not_found", "s3cret", status=404), FOREIGN_ERRORS)

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

    def test_states_which_address_cannot_be_connected_to_and_why(self) -> None:
        expected: dict[OSError, str] = {
            ConnectionRefusedError(errno.ECONNREFUSED, "s3cret"): "connection refused",
            ConnectionResetError(): "connection reset",
            OSError(errno.EHOSTUNREACH, "s3cret"): "no route to the host",
            OSError(errno.ENETUNREACH, "s3cret"): "the network is unreachable",
            TimeoutError(errno.ETIMEDOUT, "s3cret"): "timed out",
            OSError(errno.EMFILE, "s3cret"): "too many open files, see ulimit -n",
            OSError(errno.EPERM, "s3cret"): "PermissionError",
            OSError("s3cret"): "OSError",
            socket.gaierror(socket.EAI_NONAME, "s3cret"): "the host's name is unknown",
            socket.gaierror(socket.EAI_AGAIN, "s3cret"): "the name server does not answer",
            socket.gaierror(socket.EAI_FAIL, "s3cret"): "the host's name cannot be resolved",
            certificate_error(10): "the certificate has expired",
            certificate_error(18): "the certificate is self-signed",
            certificate_error(20): "the certificate is signed by an unknown authority",
            certificate_error(62): "the certificate is for another host",
            certificate_error(1): "the certificate is not accepted",
            tls_error("WRONG_VERSION_NUMBER"): (
                "the port does not speak TLS, LIVEKIT_URL may have to begin with http or ws"
            ),
            tls_error("s3cret"): "the TLS handshake failed",
        }
        reasons = {error: cannot_connect(error) for error in expected}
        assert reasons == {
            error: f"cannot connect to livekit.test:80: {cause}"
            for error, cause in expected.items()
        }
        assert cannot_connect(OSError(), "::1", 7880).startswith("cannot connect to [::1]:7880: ")

    @pytest.mark.parametrize(
        ("error", "expected", "reason"),
        [
            (ConnectionResetError("s3cret"), RoomGatewayUnavailableError, "call failed"),
            (aiohttp.ClientConnectionError("s3"), RoomGatewayUnavailableError, "call failed"),
            (aiohttp.ServerDisconnectedError("s3cret"), ConnectionLostError, "connection lost"),
            (aiohttp.ClientOSError("s3cret"), ConnectionLostError, "connection lost"),
            (aiohttp.ClientPayloadError("s3cret"), UnusableAnswerError, "answer incomplete"),
            (HTTP_ERROR, RoomGatewayUnavailableError, "answer is not valid HTTP"),
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


class TestCauses:
    def test_are_all_in_the_reference_of_the_log(self) -> None:
        reference = (PROJECT / "docs" / "log.md").read_text()
        tables = (REFUSALS, RESOLVER_ERRORS, OS_ERRORS, CERTIFICATE_FAULTS)
        causes = {cause for table in tables for cause in table.values()}
        assert {cause for cause in causes if f"`{cause}`" not in reference} == set()


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
