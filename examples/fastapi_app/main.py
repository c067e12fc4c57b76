"""A FastAPI application that mutes tracks behind a route of its own; see README.md."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, TypedDict

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from livekit_mute.adapters.livekit.api_key import ApiKey
from livekit_mute.adapters.livekit.room_gateway import open_gateway
from livekit_mute.application.mute_track import MuteTrack, MuteTrackCommand
from livekit_mute.application.ports.room_gateway import (
    RemoteUnmuteDisabledError,
    RoomGatewayError,
    RoomGatewayUnavailableError,
)
from livekit_mute.application.room_access import RoomAccess
from livekit_mute.domain.caller import Caller, IdentifiedCaller
from livekit_mute.domain.room import NotFoundError
from livekit_mute.domain.track import Participant
from pydantic import BaseModel, Field, StrictBool

REQUEST_TIMEOUT_S = 3.0
TENANT_OF_SESSION: Mapping[str, str] = {"session-of-ann": "tenant-a", "session-of-ben": "tenant-b"}
"""What an application keeps in its database."""
STATUS_OF_ERROR: Mapping[type[Exception], int] = {
    NotFoundError: 404,
    RemoteUnmuteDisabledError: 409,
    RoomGatewayUnavailableError: 503,
    RoomGatewayError: 502,
}

log = logging.getLogger("uvicorn.error")


class State(TypedDict):
    """What lives as long as the application."""

    mute_track: MuteTrack


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[State]:
    """Keep the gateway, and with it the connections to LiveKit, open while the server runs."""
    key = ApiKey(name=os.environ["LIVEKIT_API_KEY"], secret=os.environ["LIVEKIT_API_SECRET"])
    async with open_gateway(url=os.environ["LIVEKIT_URL"], api_key=key) as gateway:
        yield {"mute_track": MuteTrack(access=RoomAccess(gateway=gateway))}


app = FastAPI(lifespan=lifespan)


class Mute(BaseModel):
    """The body of a request; ``StrictBool``, because ``bool`` would take "off" for false."""

    room: str = Field(min_length=1)
    identity: str = Field(min_length=1)
    track: str = Field(min_length=1, max_length=128)
    muted: StrictBool


async def caller_of(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())],
) -> Caller:
    """Identify the caller as this application does anyway; an unknown one never gets through."""
    tenant = TENANT_OF_SESSION.get(credentials.credentials)
    if tenant is None:
        raise HTTPException(401, "sign in first")
    return IdentifiedCaller(id=tenant)


async def deadline_of_request() -> float:
    """Give the instant by which the response is due, on the event loop's clock."""
    return asyncio.get_running_loop().time() + REQUEST_TIMEOUT_S


@app.post("/mute")
async def mute(
    asked: Mute,
    request: Request,
    caller: Annotated[Caller, Depends(caller_of)],
    deadline: Annotated[float, Depends(deadline_of_request)],
) -> dict[str, bool]:
    """Mute or unmute a track, and respond with the state that LiveKit reports."""
    mute_track: MuteTrack = request.state.mute_track
    track = await mute_track.execute(
        MuteTrackCommand(
            caller=caller,
            participant=Participant(room=asked.room, identity=asked.identity),
            track_sid=asked.track,
            muted=asked.muted,
        ),
        deadline=deadline,
    )
    return {"muted": track.muted}


async def respond_to(_: Request, error: Exception) -> JSONResponse:
    """Respond with an error's own text, which is meant for callers; its reason is for the log."""
    log.warning("mute failed: %s", getattr(error, "reason", error))
    status = next(STATUS_OF_ERROR[base] for base in type(error).__mro__ if base in STATUS_OF_ERROR)
    return JSONResponse({"detail": str(error)}, status)


for kind in STATUS_OF_ERROR:
    app.add_exception_handler(kind, respond_to)
