"""Why LiveKit refuses a call, in constant texts of ours.

LiveKit's own texts hold tokens and addresses: they are searched for known phrases, not passed on.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

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

_HOST = re.compile(r"[a-z0-9_.:-]{1,253}")


def cause_of_refusal(text: str) -> str:
    """Return what a text of LiveKit's means; empty where that is not known."""
    return next((cause for phrase, cause in REFUSALS.items() if phrase in text), "")


def redirect_target(location: str) -> str:
    """Return scheme and host of a redirect's target; its other parts may hold a secret."""
    try:
        target = urlsplit(location)
        if not target.netloc:
            return "the same host"
        if target.hostname and _HOST.fullmatch(target.hostname):
            scheme = target.scheme if target.scheme in ("http", "https") else ""
            host = f"[{target.hostname}]" if ":" in target.hostname else target.hostname
            port = f":{target.port}" if target.port else ""
            return f"{scheme}://{host}{port}" if scheme else f"{host}{port}"
    except ValueError:  # as of a port that is no number
        pass
    return "an invalid address"
