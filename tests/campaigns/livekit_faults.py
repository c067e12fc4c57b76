"""What can go wrong in a call to LiveKit, and what a caller is to be told of it."""

import gzip
import zlib
from collections.abc import Mapping

from livekit.api import ListRoomsResponse, MuteRoomTrackResponse, ParticipantInfo, TrackInfo
from livekit.protocol.models import Room

from tests.adapters.livekit.canned import CUT_OFF, REFUSED, UNAVAILABLE, page, twirp
from tests.adapters.livekit.canned import answer as said
from tests.campaigns.faulty_livekit import GET, GOOD, LIST, MUTE, Fault, Stage, say_nothing, well
from tests.campaigns.livekit_kinds import (
    DOWN,
    FAILED,
    NO_ROOM,
    NO_TRACK,
    NOBODY,
    OK,
    Kind,
    Told,
    answer_and_answer_again,
    breaks,
    chunked,
    close,
    does,
    drip,
    head,
    keep,
    repeat_token,
    reset,
    says,
    without_end,
)

CHUNKS = head("Transfer-Encoding: chunked")
HEAD = head("Content-Length: 100")
CONTINUE = head(status="HTTP/1.1 100 Continue")
HINTS = head("Link: </s3cret>", status="HTTP/1.1 103 Early Hints")

CONNECTIONS: Mapping[str, Kind] = {
    "nobody listens": breaks(Stage.NOBODY_LISTENS, close, 0),
    "nothing comes through": Kind(
        fault=Fault(stage=Stage.NOTHING_COMES_THROUGH), reads=(0,), hangs=True
    ),
    "reset when connected": breaks(Stage.CONNECTED, reset, 1, 2),
    "closed when connected": breaks(Stage.CONNECTED, close),
    "reset in our head": breaks(Stage.HEAD_BEGUN, reset),
    "closed in our head": breaks(Stage.HEAD_BEGUN, close),
    "reset behind our head": breaks(Stage.HEAD_READ, reset),
    "closed behind our head": breaks(Stage.HEAD_READ, close),
    "reset behind our body": breaks(Stage.READ, reset),
    "silent behind our head": Kind(fault=Fault(stage=Stage.HEAD_READ), hangs=True),
    "silent behind our body": Kind(fault=Fault(), hangs=True),
}
ENDINGS: Mapping[str, Kind] = {
    "reset in its head": says(HEAD[:20], reset, reads=(2,)),
    "reset in its body": says(HEAD + b"\x0a", reset),
    "silent in its head": says(HEAD[:20], say_nothing),
    "silent behind its head": says(HEAD, say_nothing),
    "silent in its body": says(HEAD + b"\x0a", say_nothing),
    "silent in a chunk": says(CHUNKS + b"64\r\n\x0a", say_nothing),
    "silent behind all chunks but the last": says(lambda good: CHUNKS + chunked(good), say_nothing),
    "silent though it promised more": says(
        lambda good: head(f"Content-Length: {len(good) + 1}") + good, say_nothing
    ),
    "a head in drips": says(b"HTTP/1.1 200 OK\r\nX: ", drip),
    "a body in drips": says(head("Content-Length: 100000"), drip),
    "a body that never ends": says(CHUNKS, without_end(chunked(bytes(65536)))),
    "a body that never ends and has no length": says(head(), without_end(bytes(65536))),
    "lines that never end": says(b"HTTP/1.1 200 OK\r\n", without_end(b"X: s3cret\r\n" * 100)),
    "a trailer that never ends": says(CHUNKS + b"0\r\n", without_end(b"X: s3cret\r\n" * 100)),
}
FRAMING: Mapping[str, Kind] = {
    "fewer bytes than it promised": says(
        lambda good: head(f"Content-Length: {len(good) + 1}") + good
    ),
    "more bytes than it promised": says(
        lambda good: head(f"Content-Length: {len(good) - 1}") + good, keep
    ),
    "two lengths": says(
        lambda good: head(f"Content-Length: {len(good)}", "Content-Length: 0") + good, keep
    ),
    "two lengths, the first of nothing": says(
        lambda good: head("Content-Length: 0", f"Content-Length: {len(good)}") + good, keep
    ),
    "a length and chunks": says(
        lambda good: head(f"Content-Length: {len(good)}", "Transfer-Encoding: chunked") + good, keep
    ),
    "a length of nothing and chunks": says(
        head("Content-Length: 0", "Transfer-Encoding: chunked") + b"0\r\n\r\n", keep
    ),
    "a length below nothing": says(head("Content-Length: -1")),
    "a length that is no number": says(head("Content-Length: s3cret")),
    "a length beyond all numbers": says(head(f"Content-Length: {'9' * 30}")),
    "a chunk of no size": says(CHUNKS + b"s3cret\r\n"),
    "a chunk longer than it says": says(lambda good: CHUNKS + b"1\r\n" + good + b"\r\n0\r\n\r\n"),
    "nothing, and not even a length": says(head()),
    "all of it, and no length": says(lambda good: head() + good),
    "nothing, in an encoding of no use": says(head("Transfer-Encoding: identity")),
    "in an encoding without a name": says(lambda good: head("Transfer-Encoding: s3cret") + good),
    "an answer of HTTP/0.9": says(lambda good: good),
    "an answer of HTTP/2": says(b"\0\0\0\4\0\0\0\0\0"),
    "an answer of TLS": says(b"\x15\3\1\0\2\2\x46"),
    "another protocol's status": says(lambda good: well(good).replace(b"HTTP/1.1", b"ICY", 1)),
    "a status that is no number": says(lambda good: well(good).replace(b"200", b"2OO", 1)),
    "a switch of protocols": says(
        head("Connection: upgrade", "Upgrade: s3cret", status="HTTP/1.1 101 Switching Protocols")
    ),
    "continue for ever": Kind(fault=Fault(act=without_end(CONTINUE)), hangs=True),
    "continue and no more": says(CONTINUE, say_nothing),
    "continue and closed": says(CONTINUE, reads=(2,)),
}
ANSWERS: Mapping[str, Kind] = {
    "our token repeated": Kind(fault=Fault(act=repeat_token), told=FAILED),
    "a reason with a secret": says(said("500 s3cret")),
    "not our room, track or participant": does(
        lambda talk: talk.say(well(OTHERS[talk.call], keeps=False))
    ),
    "the answer to another call": does(
        lambda talk: talk.say(well(GOOD[MUTE if talk.call == LIST else LIST], keeps=False))
    ),
    "our room or track in other letters": says(lambda good: well(good.swapcase(), keeps=False)),
    "our room or track, and more of it": says(
        lambda good: well(good.replace(b"room", b"rooms").replace(b"mic", b"mics"), keeps=False)
    ),
    "room twice, or a track of no sid": does(
        lambda talk: talk.say(
            well(GOOD[LIST] * 2 if talk.call == LIST else b"\x0a\x02\x20\x01", keeps=False)
        )
    ),
    "compressed and silent about it": says(lambda good: well(gzip.compress(good), keeps=False)),
    "deflated": says(lambda good: well(zlib.compress(good), "Content-Encoding: deflate\r\n")),
    "a charset that is slow to read": says(
        said("500 Oh", b"x" * (4 << 20), "application/json; charset=punycode")
    ),
    "an error nested deep": says(said("404 Oh", b"[" * 30_000, "application/json")),
    "an error of many megabytes": says(said("404 Oh", b'{"code":"' + b"x" * (8 << 20))),
    "redirected to itself": says(said("308 Oh", more="Location: ?s3cret\r\n")),
    "see other": says(said("303 See Other", more="Location: /s3cret\r\n")),
    "moved for good": says(said("301 Moved", more="Location: http://s3cret.invalid/\r\n")),
    "not modified": says(head(status="HTTP/1.1 304 Not Modified")),
    "created": says(lambda good: said("201 Created", good)),
    "a part": says(lambda good: said("206 Partial Content", good)),
    "an empty success": says(well(b""), keep, told=NO_TRACK, otherwise={LIST: NO_ROOM}),
    "an empty success in chunks": says(
        CHUNKS + b"0\r\n\r\n", keep, told=NO_TRACK, otherwise={LIST: NO_ROOM}
    ),
}
FINE: Mapping[str, Kind] = {
    "in chunks": says(lambda good: CHUNKS + chunked(good) + b"0\r\n\r\n", keep, told=OK),
    "with a trailer": says(
        lambda good: CHUNKS + chunked(good) + b"0\r\nX: s3cret\r\n\r\n", keep, told=OK
    ),
    "behind a hundred of 100": says(lambda good: 100 * CONTINUE + well(good), keep, told=OK),
    "behind early hints": says(lambda good: HINTS + well(good), keep, told=OK),
    "of HTTP/1.0": says(lambda good: said("200 OK", good).replace(b"/1.1", b"/1.0", 1), told=OK),
    "and another behind it": says(lambda good: well(good) + well(b""), keep, told=OK),
    "and another one later": does(answer_and_answer_again, told=OK),
}
"""Unusual, but an answer."""

OTHERS: Mapping[str, bytes] = {
    LIST: ListRoomsResponse(rooms=[Room(name="s3cret")]).SerializeToString(),
    MUTE: MuteRoomTrackResponse(track=TrackInfo(sid="TR_s3cret", muted=True)).SerializeToString(),
    GET: ParticipantInfo(identity="s3cret").SerializeToString(),
}

CODES: Mapping[str, tuple[int, Told]] = {
    "canceled": (408, DOWN),
    "unknown": (500, DOWN),
    "invalid_argument": (400, FAILED),
    "malformed": (400, FAILED),
    "deadline_exceeded": (408, DOWN),
    "not_found": (404, NOBODY),
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
ABSENT = {LIST: FAILED, GET: NOBODY}
"""Absence is for the participant's calls to tell; nobody asks for a room that way."""

TWIRP: Mapping[str, Kind] = {
    f"code {code}": says(
        twirp(f"{status} Oh", {"code": code, "msg": "s3cret", "meta": {"s3cret": "s3cret"}}),
        told=told,
        otherwise=ABSENT if code == "not_found" else {},
    )
    for code, (status, told) in CODES.items()
}
STATUSES: Mapping[str, Kind] = {
    f"a page of {status}": says(page(f"{status} Oh"), told=FAILED if status in (401, 403) else DOWN)
    for status in (*range(400, 419), *range(421, 430), 431, 451, *range(500, 512), 520, 599)
}
CANNED: Mapping[str, Kind] = {
    name: says(canned, told=told, reads=(2,) if canned in CUT_OFF else (1,))
    for told, all_canned in ((DOWN, UNAVAILABLE), (FAILED, REFUSED))
    for name, canned in all_canned.items()
}
KINDS: Mapping[str, Kind] = {**CONNECTIONS, **ENDINGS, **FRAMING, **ANSWERS, **FINE, **TWIRP}
LONGER: Mapping[str, Kind] = {**STATUSES, **CANNED}
"""What the adapter's own tests ask of it alone, and all of HTTP's statuses."""
