"""``livekit-mute mute`` and ``livekit-mute unmute``."""

import asyncio
from collections.abc import Sequence

from attrs import frozen
from typing_extensions import override

from application.mute_track import MuteTrack, MuteTrackCommand
from application.ports.room_gateway import RoomGatewayError
from application.room_access import RoomAccess
from domain.caller import Caller
from domain.room import NotFoundError, RoomName
from domain.track import Participant, ParticipantIdentity, TrackSid, TrackSource
from entrypoints.cli.errors import (
    CannotWriteError,
    NotSeenError,
    ReaderGoneError,
    SomeFailedError,
    StateDiffersError,
)
from entrypoints.cli.outcomes import explain, outcome_of
from entrypoints.cli.output import complain, write_json, write_line
from entrypoints.cli.progress import Progress
from entrypoints.cli.tracks import see_participants

_MAX_AT_ONCE = 10


@frozen(kw_only=True)
class MuteArguments:
    """Which tracks are to be muted or unmuted, for whom.

    Either the one of ``track_sid``, or all that are listed and that ``identity``, ``source`` and
    ``spared`` do not leave out.
    """

    caller: Caller
    room: RoomName
    identity: ParticipantIdentity | None
    track_sid: TrackSid | None
    source: TrackSource | None
    spared: Sequence[ParticipantIdentity] = ()
    muted: bool
    as_json: bool


@frozen(kw_only=True)
class _Target:
    participant: Participant
    sid: TrackSid

    @override
    def __str__(self) -> str:
        return f"{self.sid} of {self.participant.identity}"


async def mute_tracks(asked: MuteArguments, access: RoomAccess) -> None:
    """Mute or unmute the tracks, at most ten at once, and write a result for each.

    Raises:
        NotSeenError: no such track is listed.
        SomeFailedError: at least one of several tracks failed.
        Exception: why the only track failed, or whatever ``write_line`` raises.
    """
    targets = await _targets(asked, access)
    slots = asyncio.Semaphore(_MAX_AT_ONCE)
    several = len(targets) > 1

    async def mute(target: _Target) -> Exception | None:
        async with slots:
            error = await _mute(asked, target, access)
        with progress.counting():
            _report(asked, target, error, several=several)
        return error

    with Progress(len(targets)) as progress:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(mute(target)) for target in targets]
    failures = [error for task in tasks if (error := task.result())]
    if failures:
        raise SomeFailedError(len(failures), len(targets)) if several else failures[0]


async def _targets(asked: MuteArguments, access: RoomAccess) -> Sequence[_Target]:
    if asked.identity is not None and asked.track_sid is not None:
        participant = Participant(room=asked.room, identity=asked.identity)
        return [_Target(participant=participant, sid=asked.track_sid)]
    listed = await see_participants(access, asked.caller, asked.room, asked.identity)
    for identity in sorted({*asked.spared} - {each.identity for each in listed}):
        complain(f"--except {identity}: no such participant seen")
    targets = [
        _Target(participant=Participant(room=asked.room, identity=each.identity), sid=track.sid)
        for each in listed
        for track in each.tracks
        if each.identity not in asked.spared and asked.source in (None, track.source)
    ]
    if not targets:
        raise NotSeenError("track")
    return targets


async def _mute(asked: MuteArguments, target: _Target, access: RoomAccess) -> Exception | None:
    """Return why it failed, or ``None``."""
    command = MuteTrackCommand(
        caller=asked.caller,
        participant=target.participant,
        track_sid=target.sid,
        muted=asked.muted,
    )
    try:
        track = await MuteTrack(access=access).execute(command)
    except (NotFoundError, RoomGatewayError) as error:
        return error
    return None if track.muted == asked.muted else StateDiffersError(muted=track.muted)


def _report(
    asked: MuteArguments, target: _Target, error: Exception | None, *, several: bool
) -> None:
    """Write the result; where there is one track alone, the command ends with its error.

    Raises:
        CannotWriteError: it cannot be written, or nobody reads it, so that no more is muted.
    """
    try:
        if asked.as_json:
            write_json(_members(asked, target, error))
        elif error is None:
            write_line(f"{'muted' if asked.muted else 'unmuted'} {target}")
        elif several:
            complain(f"{target}: {explain(error)}")
    except ReaderGoneError:
        raise CannotWriteError("nobody reads it any more") from None


def _members(asked: MuteArguments, target: _Target, error: Exception | None) -> dict[str, object]:
    members: dict[str, object] = {
        "room_name": asked.room,
        "participant_identity": target.participant.identity,
        "track_sid": target.sid,
    }
    if error is None:
        return {**members, "muted": asked.muted}
    return {**members, "error": explain(error), "code": outcome_of(error).status.name}
