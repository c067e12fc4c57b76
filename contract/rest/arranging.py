"""The LiveKit double: rooms by LiveKit's own API, the rest by the double's control interface."""

import base64
import hmac
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from contract.rest.broken import NotArrangedError

_TIMEOUT_S = 30.0
_TOKEN_S = 3600
Members = Mapping[str, Any]


@frozen(kw_only=True)
class Place:
    """A track that a participant publishes in a room."""

    room: str
    identity: str
    sid: str

    def request(self, **changes: object) -> dict[str, object]:
        """Return the body of a request to mute it, with changes."""
        names = {
            "room_name": self.room,
            "participant_identity": self.identity,
            "track_sid": self.sid,
        }
        return {**names, "muted": True, **changes}


@frozen(kw_only=True)
class LiveKit:
    """A LiveKit double, as seen by whoever arranges it."""

    url: str
    api_key: str
    api_secret: str = field(repr=False)

    def reset(self) -> None:
        """Bring it to the state in which it started, but for remote unmute, which is allowed."""
        self._control("reset")
        self._control("configure", remote_unmute=True, absent_wait_s=3.0)

    def open_room(self, *, owner: str | None = None, metadata: str = "", name: str = "") -> str:
        """Create a room, by default with a name of its own, and return its name."""
        named = name or f"room-{uuid.uuid4().hex[:8]}"
        text = metadata if owner is None else json.dumps({"auth_id": owner})
        self.call("CreateRoom", {"roomCreate": True}, name=named, metadata=text)
        return named

    def update_metadata(self, room: str, metadata: str) -> None:
        """Set the metadata of a room."""
        grants = {"roomAdmin": True, "room": room}
        self.call("UpdateRoomMetadata", grants, room=room, metadata=metadata)

    def delete_room(self, room: str) -> None:
        """Delete a room."""
        self.call("DeleteRoom", {"roomCreate": True}, room=room)

    def publish(
        self,
        room: str,
        identity: str = "alice",
        *,
        sid: str | None = None,
        muted: bool = False,
        joins: bool = True,
    ) -> Place:
        """Let a participant join, unless they are there already, and publish a track."""
        if joins:
            self._control("join", room=room, identity=identity)
        done = self._control("publish", room=room, identity=identity, sid=sid, muted=muted)
        return Place(room=room, identity=identity, sid=done["sid"])

    def publish_in(self, owner: str, *, muted: bool = False) -> Place:
        """Create a tenant's room in which somebody publishes a track."""
        return self.publish(self.open_room(owner=owner), muted=muted)

    def unpublish(self, place: Place) -> None:
        """End the publication of a track."""
        self._control("unpublish", room=place.room, identity=place.identity, sid=place.sid)

    def leave(self, room: str, identity: str) -> None:
        """Let a participant leave."""
        self._control("leave", room=room, identity=identity)

    def forbid_unmute(self) -> None:
        """Set ``room.enable_remote_unmute`` to false, LiveKit's default."""
        self._control("configure", remote_unmute=False)

    def is_muted(self, place: Place) -> bool:
        """Return whether LiveKit has the track as muted."""
        grants = {"roomAdmin": True, "room": place.room}
        found = self.call("GetParticipant", grants, room=place.room, identity=place.identity)
        tracks = {track["sid"]: track for track in found.get("tracks", [])}
        return bool(tracks[place.sid].get("muted", False))

    def fail(self, call: str, answer: object, *, times: int | None = None) -> None:
        """Let a call (or ``*``, every call) get this answer, from now on or some times."""
        self._control("fail", call=call, times=times, answer=answer)

    def calls(self) -> Mapping[str, int]:
        """Return how often each call was made so far."""
        return self._ask("GET", "/double/calls", {}, b"")

    @contextmanager
    def counting(self) -> Iterator[dict[str, int]]:
        """Provide the calls made within the block, once it is left."""
        before, during = dict(self.calls()), dict[str, int]()
        yield during
        after = self.calls()
        during |= {name: n for name in after if (n := after[name] - before.get(name, 0))}

    def _control(self, verb: str, /, **members: object) -> Members:
        body = json.dumps(members).encode()
        return self._ask("POST", f"/double/{verb}", {"Content-Type": "application/json"}, body)

    def call(self, method: str, grants: Members, /, **members: object) -> Members:
        """Make a call of LiveKit's RoomService with these grants."""
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self._token(grants)}",
        }
        path = f"/twirp/livekit.RoomService/{method}"
        return self._ask("POST", path, headers, json.dumps(members).encode())

    def _token(self, grants: Members) -> str:
        claims = {"iss": self.api_key, "exp": int(time.time()) + _TOKEN_S, "video": grants}
        signed = f"{_encode({'alg': 'HS256', 'typ': 'JWT'})}.{_encode(claims)}"
        signature = hmac.digest(self.api_secret.encode(), signed.encode(), "sha256")
        return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"

    def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Members:
        url = urlsplit(self.url)
        connection = HTTPConnection(url.hostname or "", url.port or 80, timeout=_TIMEOUT_S)
        try:
            connection.request(method, url.path.rstrip("/") + path, body, dict(headers))
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, HTTPException) as error:
            why = f"{type(error).__name__}: {error}"
            raise NotArrangedError(f"the LiveKit double at {self.url}: {why}") from None
        finally:
            connection.close()
        if answer.status not in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
            raise NotArrangedError(f"{path} of the double: status {answer.status} {text[:200]}")
        members: Members = json.loads(text or "{}")
        return members


def _encode(claims: Members) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
