"""Servers that mute wrongly (R1) or read bodies wrongly (R2, R3)."""

import json
from collections.abc import Callable, Mapping

from contract.rest.endpoint import Endpoint
from tests.contract.broken_servers.broken import (
    Broken,
    replies,
    requests,
    status_is,
    with_body,
)
from tests.contract.broken_servers.messages import Change, Reply, Sent
from tests.contract.broken_servers.rooms import mute, published_in

_TEXTS = ("room_name", "participant_identity", "track_sid")
_LARGE = 16_385


def _muted(sent: Sent, reply: Reply) -> bool:
    return sent.is_mute and reply.status == 200


def _with_field(sent: Sent, name: str, value: object) -> bytes:
    """Write a valid request again with another field."""
    if sent.body != json.dumps(sent.members).encode():
        return sent.raw
    return with_body(sent, json.dumps({**sent.members, name: value}).encode())


def _flips(*, which: bool) -> Callable[[Endpoint, Sent], bytes]:
    def change(_: Endpoint, sent: Sent) -> bytes:
        return (
            _with_field(sent, "muted", not which)
            if sent.members.get("muted") is which
            else sent.raw
        )

    return change


def _unflips(*, which: bool) -> Callable[[Endpoint], Change]:
    def change(sent: Sent, reply: Reply) -> Reply:
        flipped = _muted(sent, reply) and sent.members.get("muted") is which
        return reply.changed(muted=not reply.members["muted"]) if flipped else reply

    return lambda _: change


def _trims(field: str) -> Broken:
    def change(_: Endpoint, sent: Sent) -> bytes:
        text = sent.members.get(field)
        return _with_field(sent, field, text.strip()) if isinstance(text, str) else sent.raw

    alone = {"track_sid": "R1.12"}
    number = {"room_name": "R1.10", "participant_identity": "R1.11"}
    breaks = alone.get(field) or f"{number[field]} R1.13"
    return requests(breaks, change)


def _mutes_others(endpoint: Endpoint) -> Change:
    def change(sent: Sent, reply: Reply) -> Reply:
        if _muted(sent, reply):
            room, sid = str(sent.members.get("room_name")), sent.members.get("track_sid")
            for other in published_in(endpoint, room):
                if other.sid != sid:
                    mute(endpoint, other)
        return reply

    return change


def _conflicts(_: Endpoint) -> Change:
    seen: set[bytes] = set()

    def change(sent: Sent, reply: Reply) -> Reply:
        again = sent.raw in seen
        if _muted(sent, reply):
            seen.add(sent.raw)
        return Reply(status=409, headers=reply.headers, body=b"{}") if again else reply

    return change


MUTES: Mapping[str, Broken] = {
    "202 for a mute": status_is(
        "R1.1 R1.9 R1.13 R1.14 R2.13 R3.5 R3.10 R3.12 R3.13 R4.6 R4.9 R4.10 R5.1 R5.12 R6.11 R7.13",
        lambda sent, reply: _muted(sent, reply) and sent.members.get("muted") is not False,
        202,
    ),
    "202 for an unmute": status_is(
        "R1.2", lambda sent, reply: _muted(sent, reply) and sent.members.get("muted") is False, 202
    ),
    "unmutes instead": Broken(
        breaks="R1.3 R1.8 R1.13 R6.11",
        change_request=_flips(which=True),
        change_reply=_unflips(which=True),
    ),
    "mutes instead": Broken(
        breaks="R1.4 R6.8 R6.9 R6.10",
        change_request=_flips(which=False),
        change_reply=_unflips(which=False),
    ),
    "mutes all tracks": Broken(breaks="R1.5", change_reply=_mutes_others),
    "one more field": replies("R1.6", _muted, lambda reply: reply.changed(ok=True)),
    "another name": replies("R1.6", _muted, lambda reply: reply.changed(room_name="room")),
    "always muted": replies("R1.7 R1.8", _muted, lambda reply: reply.changed(muted=True)),
    "an echo": Broken(
        breaks="R1.8",
        change_reply=lambda _: (
            lambda sent, reply: (
                reply.changed(muted=sent.members.get("muted"))
                if sent.members and _muted(sent, reply)
                else reply
            )
        ),
    ),
    "409 for the state that holds": Broken(breaks="R1.9 R5.12 R5.13", change_reply=_conflicts),
    "room names without white space": _trims("room_name"),
    "identities without white space": _trims("participant_identity"),
    "sids without white space": _trims("track_sid"),
    "unknown fields are rejected": status_is(
        "R1.14", lambda sent, reply: _muted(sent, reply) and "more" in sent.members, 400
    ),
}
