"""Answers, and what a clause expects of them."""

import json
from collections.abc import Sequence
from typing import Any

from attrs import frozen
from typing_extensions import override

from contract.rest.broken import BrokenPromiseError, NotSeenError

_SHOWN = 160  # characters of a body


@frozen(kw_only=True)
class Answer:
    """An answer to a request.

    Attributes:
        sent: the request, as a person may read it.
    """

    sent: str
    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Return the values of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def expect(self, kept: object, expected: str, received: str = "") -> None:
        """Fail the clause unless a promise is kept; say what was expected, and received."""
        if not kept:
            raise BrokenPromiseError(
                sent=self.sent, expected=expected, received=received or str(self)
            )

    def require(self, seen: object, needed: str) -> None:
        """End the clause as not run unless the server did what the clause needs first."""
        if not seen:
            raise NotSeenError(f"the clause needs {needed}; received {self}; sent {self.sent}")

    def require_status(self, status: int) -> None:
        """End the clause as not run unless the status is this one."""
        self.require(self.status == status, f"status {status}")

    def expect_status(self, status: int) -> "Answer":
        """Fail the clause unless the status is this one."""
        self.expect(self.status == status, f"status {status}")
        return self

    def expect_code(self, code: str) -> None:
        """Fail the clause unless ``code`` in the body is this one, whatever the status."""
        found = (self._object() or {}).get("code")
        self.expect(found == code, f'"code": "{code}"')

    def expect_header(self, name: str, value: str) -> None:
        """Fail the clause unless the header is there once, with this value."""
        found = self.all(name)
        self.expect(found == [value], f"{name}: {value}", f"{self} with {_shown(name, found)}")

    @property
    def members(self) -> dict[str, Any]:
        """The body, a JSON object; where it is none, the clause fails."""
        members = self._object()
        self.expect(members is not None, "a body that is a JSON object")
        return members or {}

    @property
    def error(self) -> str:
        """The sentence for a person, or nothing."""
        return str(self.members.get("error", ""))

    def _object(self) -> dict[str, Any] | None:
        try:
            members = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return members if isinstance(members, dict) else None

    @override
    def __str__(self) -> str:
        body = self.body.decode(errors="backslashreplace")
        text = body if len(body) <= _SHOWN else f"{body[:_SHOWN]}..."
        return f"status {self.status} {text or 'without a body'}"


def _shown(name: str, values: Sequence[str]) -> str:
    return ", ".join(f"{name}: {value}" for value in values) or f"no {name}"
