"""Servers with other outcomes (R6), that misread LiveKit's faults (R7), or with other codes."""

import json
from collections.abc import Mapping

from attrs import evolve

from contract.rest.clauses.faults import LIVEKITS_TEXT
from contract.rest.endpoint import Endpoint
from tests.contract.broken_servers.broken import Broken, coded, replies, status_is
from tests.contract.broken_servers.messages import Change, Reply, Sent

_OUTAGE = coded("LIVEKIT_UNAVAILABLE")


def _stays_broken(_: Endpoint) -> Change:
    outages: list[Reply] = []

    def change(sent: Sent, reply: Reply) -> Reply:
        if _OUTAGE(sent, reply):
            outages.append(reply)
        return outages[0] if outages and sent.is_mute else reply

    return change


OUTCOMES: Mapping[str, Broken] = {
    "500 for absent participants": status_is(
        "R1.11 R6.1 R6.2", coded("PARTICIPANT_NOT_FOUND"), 500
    ),
    "200 for unknown tracks": status_is("R1.12 R6.4 R6.5 R6.6", coded("TRACK_NOT_FOUND"), 200),
    "403 for a forbidden unmute": status_is("R6.8", coded("REMOTE_UNMUTE_DISABLED"), 403),
    "a message without the setting": replies(
        "R6.10", coded("REMOTE_UNMUTE_DISABLED"), lambda reply: reply.changed(error="forbidden")
    ),
    "502 for LiveKit's faults": status_is("R7.1 R7.3 R7.5 R7.6 R7.7 R7.8", _OUTAGE, 502),
    "404 for LiveKit's faults": status_is("R7.1 R7.3 R7.5 R7.6 R7.7 R7.8 R7.9", _OUTAGE, 404),
    "403 for LiveKit's refusals": status_is("R7.10", coded("MUTE_FAILED"), 403),
    "LiveKit's own text": replies(
        "R7.12", _OUTAGE, lambda reply: reply.changed(error=f"LiveKit said {LIVEKITS_TEXT}")
    ),
    "broken ever after": Broken(breaks="R7.13", change_reply=_stays_broken),
}

_CODES = {
    "UNSUPPORTED_MEDIA_TYPE": "R3.6",
    "PAYLOAD_TOO_LARGE": "R3.11",
    "REQUEST_TIMEOUT": "R3.15",
    "UNAUTHORIZED": "R4.3",
    "INVALID_REQUEST": "R2.16 R4.15 R10.10",
    "ROOM_NOT_FOUND": "R5.7 R11.12",
    "PARTICIPANT_NOT_FOUND": "R6.3 R11.13",
    "TRACK_NOT_FOUND": "R6.7",
    "REMOTE_UNMUTE_DISABLED": "R6.9",
    "LIVEKIT_UNAVAILABLE": "R7.2 R7.4",
    "MUTE_FAILED": "R7.11",
    "NOT_READY": "R9.6",
    "NOT_FOUND": "R9.12",
    "METHOD_NOT_ALLOWED": "R9.14",
}


def _without_code(reply: Reply) -> Reply:
    return evolve(reply, body=json.dumps({"error": reply.members["error"]}).encode())


CODES: Mapping[str, Broken] = {
    f"not {code}": replies(breaks, coded(code), lambda reply: reply.changed(code="ERROR"))
    for code, breaks in _CODES.items()
} | {
    "no codes": replies(
        f"R8.1 {' '.join(_CODES.values())}",
        lambda _, reply: reply.status >= 400 and bool(reply.body),
        _without_code,
    ),
}
