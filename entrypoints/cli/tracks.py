"""``livekit-mute tracks``."""

from collections.abc import Iterator, Sequence

from attrs import frozen

from application.list_tracks import ListTracks, ListTracksCommand
from application.room_access import RoomAccess
from domain.caller import Caller
from domain.room import RoomName
from domain.track import ListedParticipant, ParticipantIdentity
from entrypoints.cli.errors import NotSeenError
from entrypoints.cli.output import aligned, write_json, write_line

_TITLES = ("TRACK", "SOURCE", "KIND", "MUTED", "PARTICIPANT")


@frozen(kw_only=True)
class TracksArguments:
    """What is to be listed, for whom: a whole room, or one participant."""

    caller: Caller
    room: RoomName
    identity: ParticipantIdentity | None
    as_json: bool


async def list_tracks(asked: TracksArguments, access: RoomAccess) -> None:
    """Write who is in the room and what they publish.

    Raises:
        NotSeenError: the participant that was asked for is not listed.
        Exception: whatever the use case and ``write_line`` raise.
    """
    listed = await see_participants(access, asked.caller, asked.room, asked.identity)
    if asked.as_json:
        for participant in listed:
            write_json(_members(asked.room, participant))
    else:
        rows = [row for participant in listed for row in _rows(participant)]
        for line in aligned(_TITLES, rows):
            write_line(line)


async def see_participants(
    access: RoomAccess, caller: Caller, room: RoomName, identity: ParticipantIdentity | None
) -> Sequence[ListedParticipant]:
    """Return the participants that are listed, by identity, or the one that was asked for.

    Raises:
        NotSeenError: that one is not listed.
        Exception: whatever the use case raises.
    """
    command = ListTracksCommand(caller=caller, room=room)
    listed = await ListTracks(access=access).execute(command)
    seen = [each for each in listed if identity in (None, each.identity)]
    if identity is not None and not seen:
        raise NotSeenError("participant")
    return sorted(seen, key=lambda participant: participant.identity)


def _members(room: RoomName, participant: ListedParticipant) -> dict[str, object]:
    return {
        "room_name": room,
        "participant_identity": participant.identity,
        "tracks": [
            {
                "track_sid": track.sid,
                "source": track.source.value,
                "kind": track.kind.value,
                "muted": track.muted,
            }
            for track in participant.tracks
        ],
    }


def _rows(participant: ListedParticipant) -> Iterator[Sequence[str]]:
    identity = participant.identity
    if not participant.tracks:
        yield ("-", "-", "-", "-", identity)
    for track in participant.tracks:
        muted = "yes" if track.muted else "no"
        yield (track.sid, track.source.value, track.kind.value, muted, identity)
