"""Liveness (``GET /``, ``/livez``) and readiness (``GET /readyz``)."""

import asyncio

from aiohttp import web

from application.ports.authenticator import AuthenticatorUnavailableError
from application.ports.room_gateway import RoomGatewayError
from entrypoints.http.api.context import CONTEXT
from entrypoints.http.api.errors import NotReadyError
from entrypoints.http.api.json_response import json_response
from entrypoints.http.api.keys import AUTHENTICATOR, ROOM_ACCESS, UNREADY
from entrypoints.http.server.keys import LIMITS


async def live(request: web.Request) -> web.Response:
    """Respond that the process is alive."""
    request[CONTEXT].routine = True
    return json_response({"status": "OK"})


async def ready(request: web.Request) -> web.Response:
    """Respond whether callers can be identified, LiveKit accepts our key, and no shutdown began.

    The answer comes within ``ready_timeout_s``; its error names the part that is not ready.
    """
    if problem := request.app[UNREADY]():
        request[CONTEXT].routine = True
        raise NotReadyError(problem)
    due = asyncio.get_running_loop().time() + request.app[LIMITS].ready_timeout_s
    try:
        await request.app[AUTHENTICATOR].verify_ready()
        await request.app[ROOM_ACCESS].verify(deadline=min(due, request[CONTEXT].deadline))
    except AuthenticatorUnavailableError as error:
        source = f" ({error.source})" if error.source else ""
        raise NotReadyError(
            f"callers cannot be authenticated yet{source}; the reason is in this service's log"
        ) from error
    except RoomGatewayError as error:
        raise NotReadyError(
            "LiveKit cannot be used now; the reason is in this service's log"
        ) from error
    request[CONTEXT].routine = True
    return json_response({"status": "READY"})
