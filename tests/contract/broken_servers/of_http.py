"""Servers that are lax about HTTP (R10), and those that check in another order (R11)."""

import re
from collections.abc import Callable, Mapping

from attrs import evolve

from contract.rest.endpoint import Endpoint
from tests.contract.broken_servers.broken import Broken, coded, replies, status_is
from tests.contract.broken_servers.messages import Change, Reply, Sent
from tests.contract.broken_servers.rooms import is_foreign, metadata_of, published_in

_TOO_LARGE = 16_385
_LINE = re.compile(r"[A-Za-z-]+: ?[^\x00]*")
_FIRST = re.compile(r"[A-Z]+ /\S* HTTP/1\.1")


def _rejected(when: Callable[[Sent], bool]) -> Callable[[Sent, Reply], bool]:
    return lambda sent, reply: reply.status == 400 and when(sent)


def _has_length_and_coding(sent: Sent) -> bool:
    return bool(sent.values("Content-Length") and sent.values("Transfer-Encoding"))


def _has_bad_length(sent: Sent) -> bool:
    lengths = sent.values("Content-Length")
    return len(lengths) > 1 or any(not length.isdigit() for length in lengths)


def _is_ill_formed(sent: Sent) -> bool:
    first, *lines = sent.head.split("\r\n")
    return not _FIRST.fullmatch(first) or any(
        not _LINE.fullmatch(line) and "X-" not in line for line in lines
    )


def _is_chunked(sent: Sent) -> bool:
    return sent.values("Transfer-Encoding") == ["chunked"] and not sent.values("Content-Length")


def _goes_on(_: Endpoint) -> Change:
    def change(sent: Sent, reply: Reply) -> Reply | bytes:
        if reply.code == "INVALID_REQUEST" and "No colon" in sent.head:
            return reply.as_bytes(is_head=False) * 2
        return reply

    return change


def _closes(_: Endpoint) -> Change:
    return lambda sent, reply: reply.as_bytes(is_head=sent.method == "HEAD")


HTTP: Mapping[str, Broken] = {
    "any number of hosts": status_is(
        "R10.1", _rejected(lambda sent: len(sent.values("Host")) != 1), 200
    ),
    "414 and 431 for long lines": status_is(
        "R10.2", _rejected(lambda sent: len(sent.head) > 8190), 431
    ),
    "431 for many headers": status_is(
        "R10.3", _rejected(lambda sent: sent.head.count("\r\n") > 128), 431
    ),
    "417 for an expectation": status_is(
        "R10.4", _rejected(lambda sent: bool(sent.values("Expect"))), 417
    ),
    "any line": status_is("R10.5 R11.1", _rejected(_is_ill_formed), 200),
    "length and chunks": status_is("R10.6", _rejected(_has_length_and_coding), 200),
    "any length": status_is("R10.7", _rejected(_has_bad_length), 200),
    "any chunks": status_is("R10.8", _rejected(_is_chunked), 200),
    "501 for codings": status_is(
        "R10.9",
        _rejected(lambda sent: sent.values("Transfer-Encoding") not in ([], ["chunked"])),
        501,
    ),
    "goes on after malformed HTTP": Broken(breaks="R10.11", change_reply=_goes_on),
    "one request a connection": Broken(breaks="R10.12 R10.13", change_reply=_closes),
}


def _unknown(sent: Sent) -> bool:
    return "no-such-token" in sent.head and "no-such-token-" not in sent.head


def _kind(sent: Sent) -> str:
    return "".join(sent.values("Content-Type"))


def _refused(when: Callable[[Sent], bool]) -> Callable[[Sent, Reply], bool]:
    return lambda sent, reply: sent.is_mute and reply.status == 401 and when(sent)


def _looks_for_owners(endpoint: Endpoint) -> Change:
    def change(sent: Sent, reply: Reply) -> Reply:
        if reply.status == 400 and sent.members.get("muted") == "true":
            owner = metadata_of(endpoint, str(sent.members.get("room_name"))) or ""
            return evolve(reply, status=404) if endpoint.stranger.id in owner else reply
        return reply

    return change


def _looks_first(endpoint: Endpoint) -> Change:
    def change(sent: Sent, reply: Reply) -> Reply:
        if sent.is_mute and reply.status == 400 and sent.members:
            list(published_in(endpoint, str(sent.members.get("room_name", "none"))))
        return reply

    return change


ORDER: Mapping[str, Broken] = {
    "the path before HTTP": status_is(
        "R11.1", lambda sent, reply: sent.path == "/nowhere" and reply.status == 400, 404
    ),
    "the method before the path": status_is(
        "R11.2", lambda sent, _: sent.first_line.startswith("DELETE /nowhere"), 405
    ),
    "credentials before the path": status_is(
        "R11.3",
        lambda sent, _: (
            sent.first_line.startswith("POST /nowhere") and not sent.values("Authorization")
        ),
        401,
    ),
    "two credentials are refused": status_is(
        "R11.4",
        lambda sent, _: (
            len(sent.values("Authorization")) == 2
            and _unknown(sent)
            and sent.is_mute
            and sent.body == b"{}"
        ),
        401,
    ),
    "types before credentials": status_is(
        "R11.5", _refused(lambda sent: _kind(sent) == "text/plain"), 415
    ),
    "sizes before credentials": status_is(
        "R11.6", _refused(lambda sent: len(sent.body) == _TOO_LARGE), 413
    ),
    "contents before credentials": status_is(
        "R11.7", _refused(lambda sent: sent.body == b"{"), 400
    ),
    "sizes before types": status_is(
        "R11.8", lambda sent, reply: reply.status == 415 and len(sent.body) == _TOO_LARGE, 413
    ),
    "contents before types": status_is(
        "R11.9", lambda sent, reply: reply.status == 415 and sent.body == b"{", 400
    ),
    "contents before sizes": status_is(
        "R11.10", lambda sent, reply: reply.status == 413 and sent.body.startswith(b"{{"), 400
    ),
    "rooms before contents": Broken(breaks="R11.11", change_reply=_looks_for_owners),
    "participants before rooms": Broken(
        breaks="R11.12",
        change_reply=lambda endpoint: (
            lambda sent, reply: (
                reply.changed(code="PARTICIPANT_NOT_FOUND")
                if sent.members.get("participant_identity") == "nobody"
                and is_foreign(endpoint, sent, reply)
                else reply
            )
        ),
    ),
    "tracks before participants": replies(
        "R11.13",
        lambda sent, reply: (
            reply.code == "PARTICIPANT_NOT_FOUND" and sent.members.get("track_sid") == "TR_unknown"
        ),
        lambda reply: reply.changed(code="TRACK_NOT_FOUND"),
    ),
    "LiveKit before contents": Broken(breaks="R11.14", change_reply=_looks_first),
    "one message for all errors": replies(
        "R2.15 R6.10",
        lambda _, reply: reply.status >= 400 and bool(reply.body),
        lambda reply: reply.changed(error="an error"),
    ),
    "a wrong code for malformed HTTP": replies(
        "R10.10",
        lambda sent, reply: coded("INVALID_REQUEST")(sent, reply) and not sent.is_mute,
        lambda reply: reply.changed(code="BAD_REQUEST"),
    ),
}
