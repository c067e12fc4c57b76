"""Kinds of faults in a call to LiveKit, and the acts that they are made of."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from tests.adapters.livekit.canned import answer as said
from tests.campaigns.faulty_livekit import (
    GET,
    GOOD,
    LIST,
    Act,
    Fault,
    Stage,
    Talk,
    say_nothing,
    well,
)

Told = tuple[int, str]
OK: Told = (200, "OK")
DOWN: Told = (500, "LIVEKIT_UNAVAILABLE")
FAILED: Told = (500, "MUTE_FAILED")
NO_ROOM: Told = (404, "ROOM_NOT_FOUND")
NO_TRACK: Told = (404, "TRACK_NOT_FOUND")
NOBODY: Told = (404, "PARTICIPANT_NOT_FOUND")


@frozen(kw_only=True)
class Kind:
    """A fault, and what it means in each call."""

    fault: Fault
    told: Told = DOWN
    otherwise: Mapping[str, Told] = {}
    reads: tuple[int, ...] = (1,)
    """How often a room may be asked for."""
    hangs: bool = False

    def told_at(self, call: str) -> Told:
        """Look up what a caller is told; whatever is said of a participant, the mute decides."""
        return self.otherwise.get(call, DOWN if call == GET else self.told)

    @property
    def comes_through(self) -> bool:
        """Whether LiveKit sees the call at all."""
        return self.reads != (0,)

    def tries(self, call: str) -> tuple[int, ...]:
        """Tell how often a call may be seen."""
        return self.reads if call == LIST or not self.comes_through else (1,)


def says(
    made: bytes | Callable[[bytes], bytes],
    then: Act | None = None,
    *,
    told: Told = DOWN,
    otherwise: Mapping[str, Told] = {},
    reads: tuple[int, ...] = (1,),
) -> Kind:
    """Make the kind that answers with these bytes, or what is made of the good body of the call."""

    async def act(talk: Talk) -> bool | None:
        await talk.say(made if isinstance(made, bytes) else made(GOOD[talk.call]))
        await asyncio.sleep(0.01)
        return await then(talk) if then else None

    hangs = then in (say_nothing, drip)
    return Kind(fault=Fault(act=act), told=told, otherwise=otherwise, reads=reads, hangs=hangs)


def breaks(stage: Stage, act: Act, *reads: int) -> Kind:
    return Kind(fault=Fault(stage=stage, act=act), reads=reads or (2,))


def does(act: Act, **meaning: Any) -> Kind:
    return Kind(fault=Fault(act=act), **meaning)


async def reset(talk: Talk) -> None:
    talk.reset()


async def close(_talk: Talk) -> None:
    """Hang up, which is what follows."""


async def keep(_talk: Talk) -> bool:
    return True


async def drip(talk: Talk) -> None:
    while True:
        await talk.say(b"x")
        await asyncio.sleep(0.01)


def without_end(part: bytes) -> Act:
    async def act(talk: Talk) -> None:
        while True:
            await talk.say(part)
            await asyncio.sleep(0)

    return act


async def repeat_token(talk: Talk) -> None:
    """As LiveKit does where a token's signature is wrong."""
    await talk.say(said("401 Unauthorized", f"s3cret {talk.token}".encode(), "text/plain"))


async def answer_and_answer_again(talk: Talk) -> bool:
    """Say more once the connection is idle; behind a read comes the mute, and none could tell."""
    await talk.say(well(GOOD[talk.call]))
    if talk.call != LIST:
        await asyncio.sleep(0.01)
        await talk.say(well(b""))
    return True


def chunked(body: bytes) -> bytes:
    return f"{len(body):x}\r\n".encode() + body + b"\r\n"


def head(*lines: str, status: str = "HTTP/1.1 200 OK") -> bytes:
    return "\r\n".join((status, *lines, "", "")).encode()
