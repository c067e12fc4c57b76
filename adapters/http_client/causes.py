"""Why a server cannot be connected to, in constant texts of ours."""

import errno
import socket
import ssl
from collections.abc import Mapping

RESOLVER_ERRORS: Mapping[int | None, str] = {
    socket.EAI_NONAME: "the host's name is unknown",
    socket.EAI_NODATA: "the host's name has no address",
    socket.EAI_AGAIN: "the name server does not answer",
}

OS_ERRORS: Mapping[int | None, str] = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "the network is unreachable",
    errno.ETIMEDOUT: "timed out",
    errno.EMFILE: "too many open files, see ulimit -n",
    errno.EADDRNOTAVAIL: "no local port is free",
}

CERTIFICATE_FAULTS: Mapping[int, str] = {  # X509_V_ERR_..., OpenSSL's x509_vfy.h
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed",
    19: "is signed by an unknown authority",
    20: "is signed by an unknown authority",
    21: "is signed by an unknown authority",
    62: "is for another host",
    64: "is for another address",
    **dict.fromkeys(range(80, 95), "breaks a rule of RFC 5280 that Python 3.13 checks"),
}


def cause_of(error: BaseException) -> str:
    """Return what an error of the operating system, the resolver or TLS means."""
    match error:
        case ssl.SSLCertVerificationError(verify_code=code):
            return f"the certificate {CERTIFICATE_FAULTS.get(code, 'is not accepted')}"
        case ssl.SSLError(reason="WRONG_VERSION_NUMBER" | "HTTP_REQUEST" | "RECORD_LAYER_FAILURE"):
            return "the port does not speak TLS, check the scheme of the URL"
        case ssl.SSLError():
            return "the TLS handshake failed"
        case socket.gaierror(errno=number):
            return RESOLVER_ERRORS.get(number, "the host's name cannot be resolved")
        case ConnectionResetError():  # in a TLS handshake without a number
            return "connection reset"
        case _:
            return OS_ERRORS.get(getattr(error, "errno", None), type(error).__name__)
