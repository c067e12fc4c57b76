"""LiveKit: whether it can be reached, takes our key, and grants what a mute needs.

Measured on LiveKit 1.9.11 and 1.13.5: no answer names a version, and an unmute of nobody is
``unavailable`` after 3 s, whether remote unmute is enabled or not.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from email.utils import parsedate_to_datetime
from uuid import uuid4

from yarl import URL

from adapters.http_client.client import HttpClient
from adapters.http_client.errors import HttpClientError
from adapters.http_client.messages import Head
from adapters.livekit.errors import AbsentError
from adapters.livekit.room_gateway import LiveKitRoomGateway, open_gateway
from application.ports.room_gateway import RoomGatewayError, RoomGatewayRefusedError
from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity
from entrypoints.check.finding import Finding, Verdict
from entrypoints.check.way import check_way
from entrypoints.settings.livekit import LiveKitSettings

_MAX_BODY_BYTES = 64 * 1024
_SUSPICIOUS_S = 10
_REFUSED_S = 60  # LiveKit's leeway
_SET = "Set it, or its variable with _FILE at the end."
_TAKE_KEY = (
    "Compare LIVEKIT_API_KEY and LIVEKIT_API_SECRET with `keys` in LiveKit's configuration, and"
    " LIVEKIT_URL with its address; docs/log.md explains the reason."
)
_LOOK_AT_LIVEKIT = (
    "Look whether LiveKit works and LIVEKIT_URL is its address, not another server's;"
    " docs/log.md explains the reason."
)
_SET_CLOCKS = "Set both clocks (NTP): from a minute on LiveKit refuses our tokens."
_LET_IT_THROUGH = "Let the proxy in front of LiveKit pass the Authorization header and /twirp/ on."
_VERSION = Finding("livekit version", Verdict.UNKNOWN, "LiveKit tells it to participants only")
_UNMUTE = Finding(
    "remote unmute",
    Verdict.UNKNOWN,
    "cannot be told without a participant: unmute a track, or look for room.enable_remote_unmute"
    " in LiveKit's configuration",
)


async def check_livekit(settings: LiveKitSettings) -> AsyncIterator[Finding]:
    """Check LiveKit step by step; what cannot be told after a failure is left out."""
    if settings.missing:
        yield Finding("livekit", Verdict.FAILED, f"not set: {', '.join(settings.missing)}", _SET)
        return
    url = URL(settings.url)
    async for finding in check_way(url, settings.timeout_s):
        yield finding
    if finding.verdict is Verdict.FAILED:
        yield Finding("livekit", Verdict.UNKNOWN, "not called, since it cannot be reached")
        return
    yield await _check_clock(settings)
    async with open_gateway(
        url=settings.url, api_key=settings.api_key, limits=settings.limits
    ) as gateway:
        deadline = asyncio.get_running_loop().time() + settings.timeout_s
        try:
            await gateway.verify_access(deadline=deadline)
        except RoomGatewayError as error:
            yield Finding("livekit key", Verdict.FAILED, error.reason, _remedy(error))
        else:
            yield Finding("livekit key", Verdict.OK, f"{settings.api_key.name} is accepted")
            yield await _check_grants(gateway, settings.timeout_s)
    yield _VERSION
    yield _UNMUTE


def _remedy(error: RoomGatewayError) -> str:
    if "clock" in error.reason:
        return _SET_CLOCKS
    return _TAKE_KEY if isinstance(error, RoomGatewayRefusedError) else _LOOK_AT_LIVEKIT


async def _check_clock(settings: LiveKitSettings) -> Finding:
    """Compare the clocks by the Date of whoever answers: LiveKit, a proxy, or a wrong server."""
    heads: list[Head] = []

    def accept(head: Head) -> int:
        heads.append(head)
        return _MAX_BODY_BYTES

    before = time.time()
    async with HttpClient(settings.url, max_connections=1) as client:
        deadline = asyncio.get_running_loop().time() + settings.timeout_s
        with suppress(HttpClientError):  # another check tells it
            target = client.url.raw_path
            await client.send("GET", target, headers={}, accept=accept, deadline=deadline)
    middle = (before + time.time()) / 2
    try:
        told = parsedate_to_datetime(heads[0].headers["date"]).timestamp() + 0.5  # it is cut off
    except (IndexError, KeyError, OverflowError, ValueError):
        return Finding("livekit clock", Verdict.UNKNOWN, "the server did not tell its time")
    difference = round(middle - told)
    side = "ahead of" if difference > 0 else "behind"
    text = f"this machine's is {abs(difference)} s {side} that of the server at LIVEKIT_URL"
    if abs(difference) > _SUSPICIOUS_S:
        verdict = Verdict.FAILED if abs(difference) >= _REFUSED_S else Verdict.WARNING
        return Finding("livekit clock", verdict, text, _SET_CLOCKS)
    same = "the same as that of the server at LIVEKIT_URL, to a second"
    return Finding("livekit clock", Verdict.OK, same if abs(difference) <= 1 else text)


async def _check_grants(gateway: LiveKitRoomGateway, timeout_s: float) -> Finding:
    """Ask for somebody who cannot exist, as an administrator of a room that cannot exist."""
    room = RoomName(f"livekit-mute-checks-its-grants-{uuid4()}")
    nobody = Participant(room=room, identity=ParticipantIdentity("nobody"))
    deadline = asyncio.get_running_loop().time() + timeout_s
    try:
        await gateway.client.get_participant(nobody, deadline)
    except AbsentError:
        pass
    except RoomGatewayRefusedError as error:
        return Finding("livekit grants", Verdict.FAILED, error.reason, _LET_IT_THROUGH)
    except RoomGatewayError as error:
        return Finding("livekit grants", Verdict.UNKNOWN, error.reason)
    return Finding("livekit grants", Verdict.OK, "roomList and roomAdmin are granted")
