"""Faults in a call to LiveKit, and the outcome of each for a caller."""

import gzip
import zlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from attrs import evolve
from livekit.api import ListRoomsResponse, MuteRoomTrackResponse, ParticipantInfo, TrackInfo
from livekit.protocol.models import Room

from tests.adapters.livekit.canned import (
    ALICE,
    CUT_OFF,
    REFUSED,
    SID,
    TOKEN_REFUSED,
    UNAVAILABLE,
    page,
    twirp,
)
from tests.adapters.livekit.canned import answer as response
from tests.robustness.faulty_livekit import GET, GOOD, LIST, MUTE, Fault, Stage, good_answer, hang
from tests.robustness.livekit_fault_kinds import (
    DOWN,
    FAILED,
    NO_PARTICIPANT,
    NO_ROOM,
    NO_TRACK,
    OK,
    Kind,
    Outcome,
    answers,
    breaks,
    chunked,
    close,
    does,
    drip,
    endless,
    head,
    keep,
    repeat_token,
    reset,
    time_out_when_idle,
)
from tests.support.sockets import IDLE_TIMEOUT

CHUNKS = head("Transfer-Encoding: chunked")
HEAD = head("Content-Length: 100")
CONTINUE = head(status="HTTP/1.1 100 Continue")
HINTS = head("Link: </s3cret>", status="HTTP/1.1 103 Early Hints")

CONNECTIONS: Mapping[str, Kind] = {
    "connection refused": breaks(Stage.REFUSED, close, 0),
    "no handshake": Kind(fault=Fault(stage=Stage.NO_HANDSHAKE), reads=(0,), hangs=True),
    "reset when connected": breaks(Stage.CONNECTED, reset, 1, 2),
    "closed when connected": breaks(Stage.CONNECTED, close),
    "reset in the request head": breaks(Stage.HEAD_BEGUN, reset),
    "closed in the request head": breaks(Stage.HEAD_BEGUN, close),
    "reset after the request head": breaks(Stage.HEAD_READ, reset),
    "closed after the request head": breaks(Stage.HEAD_READ, close),
    "reset after the request body": breaks(Stage.READ, reset),
    "silent after the request head": Kind(fault=Fault(stage=Stage.HEAD_READ), hangs=True),
    "silent after the request body": Kind(fault=Fault(), hangs=True),
}
ENDINGS: Mapping[str, Kind] = {
    "reset in its head": answers(HEAD[:20], reset, reads=(2,)),
    "reset in its body": answers(HEAD + b"\x0a", reset),
    "silent in its head": answers(HEAD[:20], hang),
    "silent after its head": answers(HEAD, hang),
    "silent in its body": answers(HEAD + b"\x0a", hang),
    "silent in a chunk": answers(CHUNKS + b"64\r\n\x0a", hang),
    "silent before the last chunk": answers(lambda good: CHUNKS + chunked(good), hang),
    "silent one byte before the end": answers(
        lambda good: head(f"Content-Length: {len(good) + 1}") + good, hang
    ),
    "a head byte by byte": answers(b"HTTP/1.1 200 OK\r\nX: ", drip),
    "a body byte by byte": answers(head("Content-Length: 100000"), drip),
    "an endless body": answers(CHUNKS, endless(chunked(bytes(65536)))),
    "an endless body without a length": answers(head(), endless(bytes(65536))),
    "endless headers": answers(b"HTTP/1.1 200 OK\r\n", endless(b"X: s3cret\r\n" * 100)),
    "an endless trailer": answers(CHUNKS + b"0\r\n", endless(b"X: s3cret\r\n" * 100)),
}
FRAMING: Mapping[str, Kind] = {
    "fewer bytes than Content-Length": answers(
        lambda good: head(f"Content-Length: {len(good) + 1}") + good
    ),
    "more bytes than Content-Length": answers(
        lambda good: head(f"Content-Length: {len(good) - 1}") + good, keep
    ),
    "two lengths": answers(
        lambda good: head(f"Content-Length: {len(good)}", "Content-Length: 0") + good, keep
    ),
    "two lengths, the first 0": answers(
        lambda good: head("Content-Length: 0", f"Content-Length: {len(good)}") + good, keep
    ),
    "a length and chunks": answers(
        lambda good: head(f"Content-Length: {len(good)}", "Transfer-Encoding: chunked") + good, keep
    ),
    "a length of 0 and chunks": answers(
        head("Content-Length: 0", "Transfer-Encoding: chunked") + b"0\r\n\r\n", keep
    ),
    "a negative length": answers(head("Content-Length: -1")),
    "a length that is no number": answers(head("Content-Length: s3cret")),
    "a length of 30 digits": answers(head(f"Content-Length: {'9' * 30}")),
    "a chunk of no size": answers(CHUNKS + b"s3cret\r\n"),
    "a chunk longer than it says": answers(
        lambda good: CHUNKS + b"1\r\n" + good + b"\r\n0\r\n\r\n"
    ),
    "an empty answer without a length": answers(head()),
    "a complete answer without a length": answers(lambda good: head() + good),
    "an empty answer in identity coding": answers(head("Transfer-Encoding: identity")),
    "an unknown coding": answers(lambda good: head("Transfer-Encoding: s3cret") + good),
    "an answer of HTTP/0.9": answers(lambda good: good),
    "an answer of HTTP/2": answers(b"\0\0\0\4\0\0\0\0\0"),
    "an answer of TLS": answers(b"\x15\3\1\0\2\2\x46"),
    "another protocol's status": answers(
        lambda good: good_answer(good).replace(b"HTTP/1.1", b"ICY", 1)
    ),
    "a status that is no number": answers(
        lambda good: good_answer(good).replace(b"200", b"2OO", 1)
    ),
    "a switch of protocols": answers(
        head("Connection: upgrade", "Upgrade: s3cret", status="HTTP/1.1 101 Switching Protocols")
    ),
    "endless 100 Continue": Kind(fault=Fault(act=endless(CONTINUE))),
    "100 Continue, then silent": answers(CONTINUE, hang),
    "100 Continue, then closed": answers(CONTINUE, reads=(2,)),
}
ANSWERS: Mapping[str, Kind] = {
    "the token repeated": Kind(fault=Fault(act=repeat_token), outcome=FAILED, refuses_token=True),
    "a reason with a secret": answers(response("500 s3cret")),
    "another room, track or participant": does(
        lambda exchange: exchange.send(good_answer(FOREIGN[exchange.call], keeps=False))
    ),
    "the answer to another call": does(
        lambda exchange: exchange.send(
            good_answer(GOOD[MUTE if exchange.call == LIST else LIST], keeps=False)
        )
    ),
    "the room or track in another case": answers(
        lambda good: good_answer(good.swapcase(), keeps=False)
    ),
    "a longer name of the room or track": answers(
        lambda good: good_answer(
            good.replace(b"room", b"rooms").replace(b"mic", b"mics"), keeps=False
        )
    ),
    "the room twice, or a track without a sid": does(
        lambda exchange: exchange.send(
            good_answer(
                GOOD[LIST] * 2 if exchange.call == LIST else b"\x0a\x02\x20\x01", keeps=False
            )
        )
    ),
    "compressed without saying so": answers(
        lambda good: good_answer(gzip.compress(good), keeps=False)
    ),
    "deflated": answers(
        lambda good: good_answer(zlib.compress(good), "Content-Encoding: deflate\r\n")
    ),
    "an error in another charset": answers(
        response("500 Oh", b'{"code": "internal"}', "application/json; charset=utf-16")
    ),
    "a too large answer about the room": does(
        lambda exchange: exchange.send(good_answer(TOO_LARGE[exchange.call], keeps=False)),
        outcomes_by_call={LIST: NO_ROOM},
    ),
    "a too large answer about another room": does(
        lambda exchange: exchange.send(
            good_answer(TOO_LARGE[exchange.call].replace(b"room", b"Room"), keeps=False)
        )
    ),
    "an error nested deep": answers(response("404 Oh", b"[" * 8000, "application/json")),
    "an error of many megabytes": answers(response("404 Oh", b'{"code":"' + b"x" * (8 << 20))),
    "redirected to itself": answers(response("308 Oh", more="Location: ?s3cret\r\n")),
    "see other": answers(response("303 See Other", more="Location: /s3cret\r\n")),
    "moved permanently": answers(
        response("301 Moved", more="Location: http://s3cret@elsewhere.invalid/s3cret\r\n")
    ),
    "not modified": answers(head(status="HTTP/1.1 304 Not Modified")),
    "created": answers(lambda good: response("201 Created", good)),
    "partial content": answers(lambda good: response("206 Partial Content", good)),
    "an empty success": answers(
        good_answer(b""), keep, outcome=NO_TRACK, outcomes_by_call={LIST: NO_ROOM}
    ),
    "an empty success in chunks": answers(
        CHUNKS + b"0\r\n\r\n", keep, outcome=NO_TRACK, outcomes_by_call={LIST: NO_ROOM}
    ),
    "an empty success of no type": answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", keep),
}
VALID: Mapping[str, Kind] = {
    "in chunks": answers(lambda good: CHUNKS + chunked(good) + b"0\r\n\r\n", keep, outcome=OK),
    "with a trailer": answers(
        lambda good: (
            head("Transfer-Encoding: chunked", "Connection: close")
            + chunked(good)
            + b"0\r\nX: s3cret\r\n\r\n"
        ),
        outcome=OK,
    ),
    "after a hundred 100 Continue": answers(
        lambda good: 100 * CONTINUE + good_answer(good), keep, outcome=OK
    ),
    "after early hints": answers(lambda good: HINTS + good_answer(good), keep, outcome=OK),
    "of HTTP/1.0": answers(
        lambda good: response("200 OK", good).replace(b"/1.1", b"/1.0", 1), outcome=OK
    ),
    "and an idle timeout after it": answers(
        lambda good: good_answer(good) + IDLE_TIMEOUT, keep, outcome=OK
    ),
    "and an idle timeout later": does(time_out_when_idle, outcome=OK),
}
"""Unusual but valid answers."""

FOREIGN: Mapping[str, bytes] = {
    LIST: ListRoomsResponse(rooms=[Room(name="s3cret")]).SerializeToString(),
    MUTE: MuteRoomTrackResponse(track=TrackInfo(sid="TR_s3cret", muted=True)).SerializeToString(),
    GET: ParticipantInfo(identity="s3cret").SerializeToString(),
}

_LONG = "s3cret" * (300 << 10)
TOO_LARGE: Mapping[str, bytes] = {
    LIST: ListRoomsResponse(rooms=[Room(name=ALICE.room, metadata=_LONG)]).SerializeToString(),
    MUTE: MuteRoomTrackResponse(
        track=TrackInfo(sid=SID, muted=True, name=_LONG)
    ).SerializeToString(),
    GET: ParticipantInfo(identity=ALICE.identity, metadata=_LONG).SerializeToString(),
}

CODES: Mapping[str, tuple[int, Outcome]] = {
    "canceled": (408, DOWN),
    "unknown": (500, DOWN),
    "invalid_argument": (400, FAILED),
    "malformed": (400, FAILED),
    "deadline_exceeded": (408, DOWN),
    "bad_route": (404, FAILED),
    "already_exists": (409, FAILED),
    "permission_denied": (403, FAILED),
    "unauthenticated": (401, FAILED),
    "resource_exhausted": (429, FAILED),
    "failed_precondition": (412, FAILED),
    "aborted": (409, FAILED),
    "out_of_range": (400, FAILED),
    "unimplemented": (501, DOWN),
    "internal": (500, DOWN),
    "unavailable": (503, DOWN),
    "dataloss": (500, DOWN),
    "s3cret": (418, FAILED),
}


def twirp_code(code: str, status: int, **outcomes: Any) -> Kind:
    error = {"code": code, "msg": "s3cret", "meta": {"s3cret": "s3cret"}}
    return answers(twirp(f"{status} Oh", error), **outcomes)


NOT_FOUND = twirp_code("not_found", 404, outcomes_by_call={LIST: FAILED, GET: NO_PARTICIPANT})
"""Only GetParticipant may report an absence: a mute is checked by it, ListRooms never does."""

TWIRP: Mapping[str, Kind] = {
    "code not_found": evolve(NOT_FOUND, fault=evolve(NOT_FOUND.fault, denies=True)),
    **{
        f"code {code}": twirp_code(code, status, outcome=outcome)
        for code, (status, outcome) in CODES.items()
    },
}
STATUSES: Mapping[str, Kind] = {
    f"a page of {status}": answers(
        page(f"{status} Oh"),
        outcome=FAILED if status in (401, 403) else DOWN,
        refuses_token=status == HTTPStatus.UNAUTHORIZED,
    )
    for status in (*range(400, 419), *range(421, 430), 431, 451, *range(500, 512), 520, 599)
}
CANNED: Mapping[str, Kind] = {
    name: answers(
        canned,
        outcome=outcome,
        reads=(2,) if canned in CUT_OFF else (1,),
        refuses_token=all_canned is TOKEN_REFUSED,
    )
    for outcome, all_canned in ((DOWN, UNAVAILABLE), (FAILED, REFUSED), (FAILED, TOKEN_REFUSED))
    for name, canned in all_canned.items()
}
GROUPS: Mapping[str, Mapping[str, Kind]] = {
    "connections": CONNECTIONS,
    "endings": ENDINGS,
    "framing": FRAMING,
    "answers": ANSWERS,
    "valid answers": VALID,
    "Twirp errors": TWIRP,
}
SOAK_GROUPS: Mapping[str, Mapping[str, Kind]] = {"statuses": STATUSES, "canned answers": CANNED}
"""The answers of the adapter's own tests, and all HTTP statuses."""
