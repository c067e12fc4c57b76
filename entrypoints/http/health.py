"""``GET /``, ``/livez`` and ``/readyz``: is the process alive, and should it get traffic?"""

import asyncio

from aiohttp import web

from application.ports.room_gateway import RoomGatewayError
from entrypoints.http.errors import NotReadyError
from entrypoints.http.keys import LIMITS, ROOM_GATEWAY, TRAFFIC
from entrypoints.http.wire import StatusBody, json_response


async def live(_: web.Request) -> web.Response:
    """Answer, which is all there is to being alive."""
    return json_response(StatusBody(status="OK"))


async def ready(request: web.Request) -> web.Response:
    """Answer whether LiveKit accepts our key now and we are not shutting down."""
    if request.app[TRAFFIC].leaving:
        raise NotReadyError("the service is shutting down")
    try:
        until = asyncio.get_running_loop().time() + request.app[LIMITS].request_timeout_s
        await request.app[ROOM_GATEWAY].verify_access(until=until)
    except RoomGatewayError as error:
        raise NotReadyError(
            "LiveKit cannot be used now; the reason is in this service's log"
        ) from error
    return json_response(StatusBody(status="READY"))
