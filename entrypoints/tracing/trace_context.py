"""The headers ``traceparent`` and ``tracestate`` (W3C Trace Context, level 2)."""

import re
from collections.abc import Mapping, Sequence

from attrs import frozen

TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"
_KNOWN_FLAGS = 0x03  # sampled, random
_MAX_STATE_CHARACTERS = 512  # as many as have to be passed on
_MAX_MEMBERS = 32
_PARENT = re.compile(
    "(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
_MEMBER = re.compile(
    r"[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)


@frozen
class TraceContext:
    """A trace, and the place in it of whoever called us.

    Attributes:
        trace_id: 32 hexadecimal digits.
        headers: to pass it on.
    """

    trace_id: str
    headers: Mapping[str, str]


def parse_trace_context(parents: Sequence[str], states: Sequence[str]) -> TraceContext | None:
    """Read the values of the two headers; ``None`` without one valid ``traceparent``.

    A ``tracestate`` that is invalid or longer than 512 characters is left out. Of a version that is
    not known yet, what version 00 knows is read and passed on.
    """
    parent = _PARENT.fullmatch(parents[0]) if len(parents) == 1 else None
    if parent is None or (parent[1] == "00" and parent[5]):
        return None
    flags = int(parent[4], 16) & _KNOWN_FLAGS
    headers = {TRACEPARENT: f"00-{parent[2]}-{parent[3]}-{flags:02x}"}
    if state := _valid_state(",".join(states)):
        headers[TRACESTATE] = state
    return TraceContext(parent[2], headers)


def _valid_state(state: str) -> str:
    if len(state) > _MAX_STATE_CHARACTERS:  # first, since a client may send 100 KB of commas
        return ""
    members = [member.strip(" \t") for member in state.split(",")]
    members = [member for member in members if member]
    if len(members) > _MAX_MEMBERS:
        return ""
    return ",".join(members) if all(map(_MEMBER.fullmatch, members)) else ""
