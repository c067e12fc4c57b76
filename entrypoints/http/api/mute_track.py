"""``POST /livekit/participant/mute``."""

from aiohttp import web
from attrs import frozen

from application.mute_track import MuteTrack, MuteTrackCommand
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, TrackSid
from entrypoints.http.api.authentication import AuthenticatedRequest
from entrypoints.http.api.errors import InvalidRequestError
from entrypoints.http.api.json_response import json_response
from entrypoints.http.server.keys import LIMITS

MUTE_TRACK = web.AppKey("mute_track", MuteTrack)


@frozen(kw_only=True)
class MuteRequest:
    """The body of a request; other fields are ignored."""

    room_name: RoomName
    participant_identity: ParticipantIdentity
    track_sid: TrackSid
    muted: bool


async def mute_track(call: AuthenticatedRequest) -> web.Response:
    """Mute or unmute the track, and respond with the state that it has afterwards."""
    app, context = call.app, call.context
    asked = await call.body.structure(MuteRequest)
    if len(asked.track_sid) > (most := app[LIMITS].max_track_sid_characters):
        raise InvalidRequestError(
            f"track_sid is longer than {most} characters (MAX_TRACK_SID_CHARACTERS)"
        )
    context.details = {
        "room": asked.room_name,
        "participant": asked.participant_identity,
        "track": asked.track_sid,
        "muted_wanted": asked.muted,
        "muted": None,
    }
    track = await app[MUTE_TRACK].execute(
        MuteTrackCommand(
            caller=call.caller,
            participant=Participant(room=asked.room_name, identity=asked.participant_identity),
            track_sid=asked.track_sid,
            muted=asked.muted,
        ),
        deadline=context.deadline,
    )
    context.details["muted"] = track.muted
    context.deviates = track.muted != asked.muted
    return json_response(
        {
            "room_name": asked.room_name,
            "participant_identity": asked.participant_identity,
            "track_sid": track.sid,
            "muted": track.muted,
        }
    )
