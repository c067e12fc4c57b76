"""Why LiveKit refuses a call or cannot be reached, in constant texts of ours.

LiveKit's own texts hold tokens and addresses: they are searched for known phrases, not passed on.
"""

import errno
import re
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp

_OTHER_KEYS = "LiveKit has another secret for the API key"
_CLOCK_AHEAD = "the token is not valid yet, this machine's clock is ahead of LiveKit's"
_HEADER_CHANGED = "the Authorization header was changed on the way"
_NEEDS_TLS = "the port expects TLS, LIVEKIT_URL has to begin with https or wss"

REFUSALS: Mapping[str, str] = {
    "invalid API key": "LiveKit does not know the API key",
    "signature is invalid": _OTHER_KEYS,  # 1.13.5
    "error in cryptographic primitive": _OTHER_KEYS,  # 1.9.11
    "token is expired": "the token has expired, this machine's clock is behind LiveKit's",
    "not valid yet": _CLOCK_AHEAD,
    "issued in the future": _CLOCK_AHEAD,
    "invalid authorization token": _HEADER_CHANGED,
    "invalid authorization header": _HEADER_CHANGED,
    "permissions denied": "the token lacks the grant, or was removed on the way",
    "404 page not found": "there is no API of LiveKit's at this path, see LIVEKIT_URL",
    "HTTP request to an HTTPS server": _NEEDS_TLS,  # Go
    "plain HTTP request was sent to HTTPS port": _NEEDS_TLS,  # nginx
    "plain HTTP to an SSL-enabled server port": _NEEDS_TLS,  # Apache
    "dial tcp": "LiveKit cannot reach its Redis",
    "no response from servers": "the participant's node does not answer LiveKit",
}
"""By a phrase in LiveKit's text, or in that of a web server at its address."""

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
}

_HOST = re.compile(r"[a-z0-9_.:-]{1,253}")


def cause_of_refusal(text: str) -> str:
    """Return what a text of LiveKit's means; empty where that is not known."""
    return next((cause for phrase, cause in REFUSALS.items() if phrase in text), "")


def no_connection(error: aiohttp.ClientConnectorError) -> str:
    """Return which address could not be connected to, and why."""
    return f"cannot connect to {address(error.host, error.port)}: {_cause(error.os_error)}"


def address(host: str | None, port: int | None) -> str:
    """Write a host and a port as URLs do."""
    written = f"[{host}]" if host and ":" in host else host
    return f"{written}:{port}" if port else f"{written}"


def redirect_target(location: str) -> str:
    """Return scheme and host of a redirect's target; its other parts may hold a secret."""
    try:
        target = urlsplit(location)
        if not target.netloc:
            return "the same host"
        if target.hostname and _HOST.fullmatch(target.hostname):
            scheme = target.scheme if target.scheme in ("http", "https") else ""
            host = address(target.hostname, target.port)
            return f"{scheme}://{host}" if scheme else host
    except ValueError:  # as of a port that is no number
        pass
    return "an invalid address"


def _cause(error: OSError) -> str:
    match error:
        case ssl.SSLCertVerificationError(verify_code=code):
            return f"the certificate {CERTIFICATE_FAULTS.get(code, 'is not accepted')}"
        case ssl.SSLError(reason="WRONG_VERSION_NUMBER" | "HTTP_REQUEST" | "RECORD_LAYER_FAILURE"):
            return "the port does not speak TLS, LIVEKIT_URL may have to begin with http or ws"
        case ssl.SSLError():
            return "the TLS handshake failed"
        case socket.gaierror(errno=number):
            return RESOLVER_ERRORS.get(number, "the host's name cannot be resolved")
        case ConnectionResetError():  # in a TLS handshake without a number
            return "connection reset"
        case _:
            return OS_ERRORS.get(error.errno, type(error).__name__)
