"""What the tool does, without LiveKit's agents: mute the microphones of a participant."""

from livekit_mute.application.list_tracks import ListTracks, ListTracksCommand
from livekit_mute.application.mute_track import MuteTrack, MuteTrackCommand
from livekit_mute.application.room_access import RoomAccess
from livekit_mute.domain.caller import AnonymousCaller
from livekit_mute.domain.track import Participant, ParticipantNotFoundError, TrackSource

AGENT = AnonymousCaller()
"""Our own program, whom no tenant rule limits: the room is never the model's choice."""


async def mute_microphones(access: RoomAccess, participant: Participant, *, deadline: float) -> int:
    """Mute all microphones of a participant that are listed, also those listed as muted.

    A listing lags behind, so a microphone that was published a moment ago may be missing.

    Returns:
        how many there are.

    Raises:
        ParticipantNotFoundError: nobody of that identity is in the room.
        NotFoundError: the room or a track is gone.
        RoomGatewayError: LiveKit did not do it, or it is unknown whether it did.
    """
    asked = ListTracksCommand(caller=AGENT, room=participant.room)
    listed = await ListTracks(access=access).execute(asked, deadline=deadline)
    tracks_of = {each.identity: each.tracks for each in listed}
    if participant.identity not in tracks_of:
        raise ParticipantNotFoundError
    microphones = [
        track for track in tracks_of[participant.identity] if track.source is TrackSource.MICROPHONE
    ]
    for track in microphones:
        command = MuteTrackCommand(
            caller=AGENT, participant=participant, track_sid=track.sid, muted=True
        )
        await MuteTrack(access=access).execute(command, deadline=deadline)
    return len(microphones)
