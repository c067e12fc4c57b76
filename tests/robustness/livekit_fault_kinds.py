"""Kinds of faults in a call to LiveKit, and the acts that they consist of."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from tests.adapters.livekit.canned import answer as said
from tests.robustness.faulty_livekit import (
    GET,
    GOOD,
    LIST,
    Act,
    Exchange,
    Fault,
    Stage,
    good_answer,
    hang,
)
from tests.support.sockets import IDLE_TIMEOUT

Outcome = tuple[int, str]
OK: Outcome = (200, "OK")
DOWN: Outcome = (500, "LIVEKIT_UNAVAILABLE")
FAILED: Outcome = (500, "MUTE_FAILED")
NO_ROOM: Outcome = (404, "ROOM_NOT_FOUND")
NO_TRACK: Outcome = (404, "TRACK_NOT_FOUND")
NO_PARTICIPANT: Outcome = (404, "PARTICIPANT_NOT_FOUND")


@frozen(kw_only=True)
class Kind:
    """A fault, and its outcome for a caller in each call."""

    fault: Fault
    outcome: Outcome = DOWN
    outcomes_by_call: Mapping[str, Outcome] = {}
    reads: tuple[int, ...] = (1,)
    """How often ListRooms may be attempted."""
    hangs: bool = False
    refuses_token: bool = False
    """Whether any call is made once more."""

    def outcome_at(self, call: str) -> Outcome:
        """Return the outcome of a fault in a call; in GetParticipant it is that of the mute."""
        return self.outcomes_by_call.get(call, DOWN if call == GET else self.outcome)

    @property
    def is_received(self) -> bool:
        """Whether LiveKit receives the call."""
        return self.reads != (0,)

    def attempts(self, call: str) -> tuple[int, ...]:
        """Return how often LiveKit may receive a call."""
        if self.refuses_token:
            return (2,)
        return self.reads if call == LIST or not self.is_received else (1,)


def answers(
    content: bytes | Callable[[bytes], bytes], then: Act | None = None, **meaning: Any
) -> Kind:
    """Return the kind that sends bytes, or a function of the good body, and then acts."""

    async def act(exchange: Exchange) -> bool | None:
        await exchange.send(content if isinstance(content, bytes) else content(GOOD[exchange.call]))
        await asyncio.sleep(0.01)
        return await then(exchange) if then else None

    return Kind(fault=Fault(act=act), hangs=then in (hang, drip), **meaning)


def breaks(stage: Stage, act: Act, *reads: int) -> Kind:
    return Kind(fault=Fault(stage=stage, act=act), reads=reads or (2,))


def does(act: Act, **meaning: Any) -> Kind:
    return Kind(fault=Fault(act=act), **meaning)


async def reset(exchange: Exchange) -> None:
    exchange.reset()


async def close(_exchange: Exchange) -> None:
    """Close the connection, which the caller does."""


async def keep(_exchange: Exchange) -> bool:
    return True


async def drip(exchange: Exchange) -> None:
    while True:
        await exchange.send(b"x")
        await asyncio.sleep(0.01)


def endless(part: bytes) -> Act:
    async def act(exchange: Exchange) -> None:
        while True:
            await exchange.send(part)
            await asyncio.sleep(0)

    return act


async def repeat_token(exchange: Exchange) -> None:
    """Repeat the token, as LiveKit does if its signature is wrong."""
    await exchange.send(said("401 Unauthorized", f"s3cret {exchange.token}".encode(), "text/plain"))


async def time_out_when_idle(exchange: Exchange) -> bool:
    """Send that the connection was idle, except before the mute, which would take it."""
    await exchange.send(good_answer(GOOD[exchange.call]))
    if exchange.call != LIST:
        await asyncio.sleep(0.01)
        await exchange.send(IDLE_TIMEOUT)
    return True


def chunked(body: bytes) -> bytes:
    return f"{len(body):x}\r\n".encode() + body + b"\r\n"


def head(*lines: str, status: str = "HTTP/1.1 200 OK") -> bytes:
    return "\r\n".join((status, "Content-Type: application/protobuf", *lines, "", "")).encode()
