"""The scenarios: requests, number of connections, and settings of the programs."""

import json
from collections.abc import Callable, Sequence
from typing import Literal

from attrs import evolve, frozen

from benchmarks.load_config import Exchange
from benchmarks.targets import Target, Targets

Program = Literal["bare", "service", "unmetered", "other"]
Variant = Literal["usual", "without-id", "many-secrets", "many-rooms"]

SECRET_OF_OWNER = "secret-of-tenant-a"  # noqa: S105 - made up
BASE = "authenticated-32"
ONE_CONNECTION = "authenticated-1"
METRICS = "metrics-32"
METRICS_ONE_CONNECTION = "metrics-1"
_ABSENT = 64


@frozen(kw_only=True)
class Scenario:
    """One row of the table.

    Attributes:
        key: its name for ``--only``.
        programs: who is measured in it; "other", if there is one, only where every server of the
            endpoint has to answer alike. "unmetered" is the service without metrics.
        exchanges: creates the requests and the expected answers.
        variant: the settings of the programs and of the LiveKit behind them.
        idle_connections: number of further connections that stay open without requests.
        grows: whether its cost is compared with that of the base scenario.
        starts_anew: whether each round starts the programs anew. Two processes of one program
            differ by 3 % in CPU time, each for as long as it lives.
    """

    key: str
    name: str
    exchanges: Callable[[Targets], Sequence[Exchange]]
    connections: int = 32
    programs: tuple[Program, ...] = ("bare", "service")
    variant: Variant = "usual"
    idle_connections: int = 0
    grows: bool = False
    starts_anew: bool = False


def one_track(targets: Targets) -> Sequence[Exchange]:
    """Mute the same track in every request."""
    return [_mute(targets.one_per_room[0])]


def one_track_without_id(targets: Targets) -> Sequence[Exchange]:
    """Mute the same track in every request, as an anonymous caller."""
    return [_mute(targets.one_per_room[0], authenticated=False)]


def one_track_per_room(targets: Targets) -> Sequence[Exchange]:
    """Mute a track of another room in each request."""
    return [_mute(target) for target in targets.one_per_room]


def all_tracks_of_a_room(targets: Targets) -> Sequence[Exchange]:
    """Mute the track of another participant of the same room in each request."""
    return [_mute(target) for target in targets.same_room]


def room_of_another_tenant(targets: Targets) -> Sequence[Exchange]:
    """Try to mute a track in a room of another tenant."""
    return [_not_found(targets.other_tenant, "ROOM_NOT_FOUND")]


def absent_participants(targets: Targets) -> Sequence[Exchange]:
    """Try to mute participants who are not in the room."""
    present = targets.one_per_room[0]
    return [
        _not_found(evolve(present, identity=f"absent-{number}"), "PARTICIPANT_NOT_FOUND")
        for number in range(_ABSENT)
    ]


def _mute(target: Target, *, authenticated: bool = True) -> Exchange:
    body = _body(target)
    return Exchange(request=_request(body, authenticated=authenticated), status=200, members=body)


def _not_found(target: Target, code: str) -> Exchange:
    request = _request(_body(target), authenticated=True)
    return Exchange(request=request, status=404, members={"code": code})


def _body(target: Target) -> dict[str, str | bool]:
    return {
        "room_name": target.room,
        "participant_identity": target.identity,
        "track_sid": target.track_sid,
        "muted": True,
    }


def _request(body: dict[str, str | bool], *, authenticated: bool) -> str:
    content = json.dumps(body)
    lines = [
        "POST /livekit/participant/mute HTTP/1.1",
        "Host: 127.0.0.1",
        *([f"Authorization: Bearer {SECRET_OF_OWNER}"] if authenticated else []),
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
    ]
    return "\r\n".join([*lines, "", content])


_METRICS: tuple[Program, ...] = ("unmetered", "service")
_EACH: tuple[Program, ...] = ("bare", "service", "other")

SCENARIOS = (
    Scenario(
        key=ONE_CONNECTION,
        name="authenticated, 1 connection",
        exchanges=one_track,
        connections=1,
        programs=_EACH,
    ),
    Scenario(key=BASE, name="authenticated, 32 connections", exchanges=one_track, programs=_EACH),
    Scenario(
        key=METRICS_ONE_CONNECTION,
        name="metrics, 1 connection",
        exchanges=one_track,
        connections=1,
        programs=_METRICS,
        starts_anew=True,
    ),
    Scenario(
        key=METRICS,
        name="metrics, 32 connections",
        exchanges=one_track,
        programs=_METRICS,
        starts_anew=True,
    ),
    Scenario(
        key="participants",
        name="many participants",
        exchanges=all_tracks_of_a_room,
        programs=_EACH,
        grows=True,
    ),
    Scenario(
        key="10000-rooms",
        name="10,000 more rooms",
        exchanges=one_track,
        programs=("service",),
        variant="many-rooms",
        grows=True,
    ),
    Scenario(
        key="10000-secrets",
        name="10,000 API secrets",
        exchanges=one_track,
        programs=("service",),
        variant="many-secrets",
        grows=True,
    ),
    Scenario(
        key="1000-idle",
        name="1,000 idle connections",
        exchanges=one_track,
        programs=("service",),
        idle_connections=1000,
        grows=True,
    ),
    Scenario(key="no-id", name="no id", exchanges=one_track_without_id, variant="without-id"),
    Scenario(key="rooms", name="50 rooms in turn", exchanges=one_track_per_room, programs=_EACH),
    Scenario(key="foreign", name="wrong tenant", exchanges=room_of_another_tenant),
    Scenario(
        key="absent",
        name="absent participants",
        exchanges=absent_participants,
        programs=("service",),
    ),
)
"""The order keeps the scenarios that are compared with each other close in time."""
