"""Requests and replies as a proxy sees them."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from attrs import evolve, frozen


@frozen(kw_only=True)
class Sent:
    """What the client has sent on a connection so far."""

    raw: bytes

    @property
    def head(self) -> str:
        return self.raw.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def first_line(self) -> str:
        return self.head.partition("\r\n")[0]

    @property
    def method(self) -> str:
        return self.first_line.partition(" ")[0]

    @property
    def path(self) -> str:
        return " ".join(self.first_line.split(" ")[1:2])

    @property
    def is_mute(self) -> bool:
        return self.first_line.startswith("POST /livekit/participant/mute")

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def size(self) -> int:
        """The declared length of the body; 0 where it is no number."""
        declared = "".join(self.values("Content-Length"))
        return int(declared) if declared.isdecimal() else 0

    def after_first(self) -> bytes:
        """Return what was sent behind the first request."""
        head, separator, rest = self.raw.partition(b"\r\n\r\n")
        return self.raw[len(head) + len(separator) + min(self.size, len(rest)) :]

    @property
    def members(self) -> dict[str, Any]:
        """The body's members; none where it is no JSON object."""
        members: object = None
        with suppress(ValueError, RecursionError):
            members = json.loads(self.body[: self.size] if self.size else self.body)
        return members if isinstance(members, dict) else {}

    def values(self, name: str) -> list[str]:
        lines = [line.partition(":") for line in self.head.split("\r\n")[1:]]
        return [value.strip() for key, _, value in lines if key.lower() == name.lower()]


@frozen(kw_only=True)
class Reply:
    """What the service answers."""

    status: int
    reason: str = "Changed"
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def members(self) -> dict[str, Any]:
        return dict(json.loads(self.body)) if self.body else {}

    @property
    def code(self) -> str:
        return str(self.members.get("code", ""))

    def with_members(self, **members: object) -> "Reply":
        return evolve(self, body=json.dumps(members).encode())

    def changed(self, **members: object) -> "Reply":
        return self.with_members(**{**self.members, **members})

    def without(self, name: str) -> "Reply":
        kept = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return evolve(self, headers=kept)

    def having(self, name: str, value: str) -> "Reply":
        bare = self.without(name)
        return evolve(bare, headers=(*bare.headers, (name, value)))

    def as_bytes(self, *, is_head: bool) -> bytes:
        sized = self if is_head else self.having("Content-Length", str(len(self.body)))
        lines = [f"{name}: {value}" for name, value in sized.headers]
        first = f"HTTP/1.1 {self.status} {self.reason}"
        return "\r\n".join([first, *lines, "", ""]).encode("latin-1") + self.body


Change = Callable[[Sent, Reply], Reply | bytes]
