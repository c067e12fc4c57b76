"""What is measured: who asks for what, over how many connections, of programs set how."""

import json
from collections.abc import Callable, Sequence
from typing import Literal

from attrs import frozen

from benchmarks.plan import Exchange
from benchmarks.stage import Stage, Target

Program = Literal["bare", "service"]
Variant = Literal["usual", "without-id", "many-secrets", "many-rooms"]

SECRET_OF_OWNER = "secret-of-tenant-a"  # noqa: S105 - made up
BASE = "authenticated-32"
_ABSENT = 64


@frozen(kw_only=True)
class Scenario:
    """One row of the table.

    Attributes:
        key: its name for ``--only``.
        exchanges: the requests, made for what is on the stage, and what to expect.
        variant: the settings of the programs and of the LiveKit behind them.
        idle_connections: so many more stay open beside.
        grows: whether its cost is compared with that of the base scenario.
    """

    key: str
    name: str
    exchanges: Callable[[Stage], Sequence[Exchange]]
    connections: int = 32
    programs: tuple[Program, ...] = ("bare", "service")
    variant: Variant = "usual"
    idle_connections: int = 0
    grows: bool = False


def one(stage: Stage) -> Sequence[Exchange]:
    """Ask for the same track all the time."""
    return [_mute(stage.alone[0])]


def one_without_id(stage: Stage) -> Sequence[Exchange]:
    """Ask for the same track all the time, without saying who asks."""
    return [_mute(stage.alone[0], authenticated=False)]


def in_each_room(stage: Stage) -> Sequence[Exchange]:
    """Ask for somebody of another room each time."""
    return [_mute(target) for target in stage.alone]


def in_the_crowd(stage: Stage) -> Sequence[Exchange]:
    """Ask for somebody else of the same room each time."""
    return [_mute(target) for target in stage.crowd]


def in_a_foreign_room(stage: Stage) -> Sequence[Exchange]:
    """Ask for a track of another tenant's."""
    return [_refused(stage.foreign, "ROOM_NOT_FOUND")]


def of_nobody(stage: Stage) -> Sequence[Exchange]:
    """Ask for somebody who is not there, in a room that is."""
    sid = stage.alone[0].track_sid
    nobodies = [
        Target(room=stage.alone[0].room, identity=f"nobody-{number}", track_sid=sid)
        for number in range(_ABSENT)
    ]
    return [_refused(nobody, "PARTICIPANT_NOT_FOUND") for nobody in nobodies]


def _mute(target: Target, *, authenticated: bool = True) -> Exchange:
    request = _request(_wish(target), authenticated=authenticated)
    return Exchange(request=request, status=200, members=_wish(target))


def _refused(target: Target, code: str) -> Exchange:
    request = _request(_wish(target), authenticated=True)
    return Exchange(request=request, status=404, members={"code": code})


def _wish(target: Target) -> dict[str, str | bool]:
    return {
        "room_name": target.room,
        "participant_identity": target.identity,
        "track_sid": target.track_sid,
        "muted": True,
    }


def _request(wish: dict[str, str | bool], *, authenticated: bool) -> str:
    body = json.dumps(wish)
    lines = [
        "POST /livekit/participant/mute HTTP/1.1",
        "Host: 127.0.0.1",
        *([f"Authorization: Bearer {SECRET_OF_OWNER}"] if authenticated else []),
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", body])


SCENARIOS = (
    Scenario(key=BASE, name="authenticated, 32 connections", exchanges=one),
    Scenario(key="participants", name="many participants", exchanges=in_the_crowd, grows=True),
    Scenario(
        key="10000-rooms",
        name="10,000 more rooms",
        exchanges=one,
        programs=("service",),
        variant="many-rooms",
        grows=True,
    ),
    Scenario(
        key="10000-secrets",
        name="10,000 API secrets",
        exchanges=one,
        programs=("service",),
        variant="many-secrets",
        grows=True,
    ),
    Scenario(
        key="1000-idle",
        name="1,000 idle connections",
        exchanges=one,
        programs=("service",),
        idle_connections=1000,
        grows=True,
    ),
    Scenario(
        key="authenticated-1", name="authenticated, 1 connection", exchanges=one, connections=1
    ),
    Scenario(key="no-id", name="no id", exchanges=one_without_id, variant="without-id"),
    Scenario(key="rooms", name="50 rooms in turn", exchanges=in_each_room),
    Scenario(key="foreign", name="wrong tenant", exchanges=in_a_foreign_room),
    Scenario(key="absent", name="absent participants", exchanges=of_nobody, programs=("service",)),
)
"""In this order, so that what is compared is measured close together."""
