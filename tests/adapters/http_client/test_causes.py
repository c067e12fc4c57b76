import errno
import socket
import ssl

from adapters.http_client.causes import (
    CERTIFICATE_FAULTS,
    OS_ERRORS,
    RESOLVER_ERRORS,
    cause_of,
)
from tests.support.imports import PROJECT


def certificate_error(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "s3cret")
    error.verify_code = code
    return error


def tls_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, "s3cret")
    error.reason = reason
    return error


class TestCauses:
    def test_say_why_nothing_can_be_connected_to(self) -> None:
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
                "the port does not speak TLS, check the scheme of the URL"
            ),
            tls_error("s3cret"): "the TLS handshake failed",
        }
        assert {error: cause_of(error) for error in expected} == expected

    def test_are_all_in_the_reference_of_the_log(self) -> None:
        reference = (PROJECT / "docs" / "log.md").read_text()
        tables = (RESOLVER_ERRORS, OS_ERRORS, CERTIFICATE_FAULTS)
        causes = {cause for table in tables for cause in table.values()}
        assert {cause for cause in causes if f"`{cause}`" not in reference} == set()
