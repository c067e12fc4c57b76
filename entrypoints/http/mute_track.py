"""``POST /livekit/participant/mute``."""

import asyncio
from functools import partial

from aiohttp import web

from application.mute_track import MuteTrackCommand
from domain.track import Participant
from entrypoints.http.audit import AUDIT_RECORD
from entrypoints.http.body import JsonBody
from entrypoints.http.credentials import present_credential
from entrypoints.http.errors import InvalidRequestError
from entrypoints.http.keys import AUTHENTICATOR, LIMITS, MUTE_TRACK
from entrypoints.http.limits import Limits
from entrypoints.http.wire import (
    MuteRequest,
    MuteResponse,
    json_response,
    structure_mute_request,
)


async def mute_track(request: web.Request) -> web.Response:
    """Find out who calls, what they want, have it done, and tell what is so now."""
    record = request[AUDIT_RECORD]
    limits = request.app[LIMITS]
    until = asyncio.get_running_loop().time() + limits.request_timeout_s
    body = JsonBody(request, limits, until)
    record.caller = await request.app[AUTHENTICATOR].authenticate(
        partial(present_credential, request, body, until, limits)
    )
    record.wish = await _read_wish(body, limits)
    track = await request.app[MUTE_TRACK].execute(
        MuteTrackCommand(
            caller=record.caller,
            participant=Participant(
                room=record.wish.room_name, identity=record.wish.participant_identity
            ),
            track_sid=record.wish.track_sid,
            muted=record.wish.muted,
        ),
        until=until,
    )
    record.muted = track.muted
    return json_response(
        MuteResponse(
            room_name=record.wish.room_name,
            participant_identity=record.wish.participant_identity,
            track_sid=track.sid,
            muted=track.muted,
        )
    )


async def _read_wish(body: JsonBody, limits: Limits) -> MuteRequest:
    try:
        return structure_mute_request(
            await body.members(), max_track_sid_characters=limits.max_track_sid_characters
        )
    except ValueError as error:
        raise InvalidRequestError(str(error)) from None
