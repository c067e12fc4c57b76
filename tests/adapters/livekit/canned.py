"""Answers of a LiveKit that misbehaves, byte for byte, and what they mean."""

import gzip
import json

from livekit.api import ListRoomsResponse, MuteRoomTrackResponse, TrackInfo
from livekit.protocol.models import Room as LiveKitRoom

from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, TrackSid

ALICE = Participant(room=RoomName("room"), identity=ParticipantIdentity("alice"))
SID = TrackSid("TR_mic")
PROTOBUF = b"HTTP/1.1 200 OK\r\nContent-Type: application/protobuf\r\n"
"""The beginning of a good answer."""


def answer(
    status: str, body: bytes = b"", kind: str = "application/protobuf", more: str = ""
) -> bytes:
    framing = f"Content-Length: {len(body)}\r\nConnection: close\r\n"
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{framing}{more}\r\n".encode() + body


def twirp(status: str, members: object) -> bytes:
    return answer(status, json.dumps(members).encode(), "application/json")


def page(status: str) -> bytes:
    return answer(status, b"<html><h1>s3cret</h1></html>", "text/html")


def error_of_size(size: int) -> bytes:
    """A participant's absence, in a body of so many bytes."""
    error = {"code": "not_found", "msg": ""}
    return twirp("404 Not Found", error | {"msg": "x" * (size - len(json.dumps(error)))})


def room_of_size(size: int) -> bytes:
    """A message of so many bytes, over 1 MiB, about the room."""
    least = 1 << 20  # lengths from here on have the same size
    shorter = ListRoomsResponse(rooms=[LiveKitRoom(name="room", metadata="x" * least)])
    metadata = "x" * (least + size - shorter.ByteSize())
    return ListRoomsResponse(
        rooms=[LiveKitRoom(name="room", metadata=metadata)]
    ).SerializeToString()


def owned_by(tenant: str) -> bytes:
    room = LiveKitRoom(name="room", metadata=json.dumps({"auth_id": tenant}))
    body = ListRoomsResponse(rooms=[room]).SerializeToString()
    return PROTOBUF + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


MUTED = MuteRoomTrackResponse(track=TrackInfo(sid=SID, muted=True)).SerializeToString()
OTHER = MuteRoomTrackResponse(track=TrackInfo(sid="TR_other", muted=True)).SerializeToString()
OTHER_ROOM = ListRoomsResponse(rooms=[LiveKitRoom(name="Room")]).SerializeToString()
TWO_ROOMS = ListRoomsResponse(rooms=2 * [LiveKitRoom(name="room")]).SerializeToString()

UNAVAILABLE: dict[str, bytes] = {
    "closed without an answer": b"",
    "broken off in the head": b"HTTP/1.1 200 OK\r\nContent-",
    "broken off in the body": answer("200 OK", MUTED)[:-3],
    "nothing, and not even a length": PROTOBUF + b"\r\n",
    "nothing, of an unknown end": PROTOBUF + b"Transfer-Encoding: identity\r\n\r\n",
    "nothing, of no type": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "not HTTP": b"SSH-2.0-s3cret\r\n",
    "garbage": answer("200 OK", b"\xff\xff\xff\xff"),
    "truncated protobuf": answer("200 OK", MUTED[:-1]),
    "unknown fields alone": answer("200 OK", b"\xfa\x06\x06s3cret"),
    "a page": page("200 OK"),
    "an empty page": answer("200 OK", kind="text/html"),
    "JSON": answer("200 OK", b'{"track": {}}', "application/json"),
    "another status of success": answer("204 No Content"),
    "a redirect": answer("307 Temporary Redirect", more="Location: /elsewhere\r\n"),
    "a redirect elsewhere": answer("302 Found", more="Location: http://127.0.0.1:9/\r\n"),
    "multiple choices": answer("300 Multiple Choices"),
    "compressed": answer("200 OK", gzip.compress(MUTED), more="Content-Encoding: gzip\r\n"),
    "compressed and large": answer(
        "200 OK", gzip.compress(bytes(1 << 21)), more="Content-Encoding: gzip\r\n"
    ),
    "too much": answer("200 OK", b"\x0a" * ((8 << 20) + 1)),
    "chunks without end": PROTOBUF
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + 129 * (b"10000\r\n" + bytes(65536) + b"\r\n"),
    "an endless head": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000,
    "too many lines": b"HTTP/1.1 200 OK\r\n" + 1000 * b"X: a\r\n" + b"\r\n",
    "internal": twirp("500 Internal Server Error", {"code": "internal", "msg": "s3cret"}),
    "unavailable": twirp("503 Service Unavailable", {"code": "unavailable", "msg": "s3cret"}),
    "not found with 5xx": twirp("500 Internal Server Error", {"code": "not_found"}),
    "canceled": twirp("408 Request Timeout", {"code": "canceled"}),
    "a page of a proxy": page("502 Bad Gateway"),
    "a page for nowhere": page("404 Not Found"),
    "an error that is null": twirp("404 Not Found", None),
    "an error that is a list": twirp("404 Not Found", []),
    "an error that is a text": twirp("404 Not Found", "not_found"),
    "an error without a code": twirp("404 Not Found", {"msg": "s3cret"}),
    "an error whose code is a list": twirp("404 Not Found", {"code": ["not_found"]}),
    "an error whose code is null": twirp("404 Not Found", {"code": None}),
    "an error that is broken": answer("404 Not Found", b'{"code":', "application/json"),
}

CUT_OFF = (UNAVAILABLE["closed without an answer"], UNAVAILABLE["broken off in the head"])
"""A read is retried once then; a mute never is."""

TOKEN_REFUSED: dict[str, bytes] = {
    "wrong secret": answer("401 Unauthorized", b"invalid token: s3cret", "text/plain"),
    "refused without a word": answer("401 Unauthorized"),
    "refused with null": twirp("401 Unauthorized", None),
    "refused by a proxy": twirp("401 Unauthorized", {"message": "s3cret"}),
}
"""Any call is made once more then, with another token."""

REFUSED: dict[str, bytes] = {
    "permissions": twirp("401 Unauthorized", {"code": "unauthenticated", "msg": "s3cret"}),
    "refused with a list": twirp("403 Forbidden", []),
    "forbidden": page("403 Forbidden"),
    "bad route": twirp("404 Not Found", {"code": "bad_route"}),
    "invalid argument": twirp("400 Bad Request", {"code": "invalid_argument", "msg": "s3cret"}),
    "exhausted": twirp("429 Too Many Requests", {"code": "resource_exhausted"}),
}
