"""The requests that the gateway makes of Janus, over HTTP and each within a deadline."""

import asyncio
from typing import Any
from uuid import uuid4

import aiohttp
from attrs import field, frozen
from livekit_mute.application.ports.room_gateway import (
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)

VISITOR = "livekit-mute-listing-"
"""How the ids of those begin who are in a room only to see who publishes."""
_PLUGIN = "janus.plugin.videoroom"

Members = dict[str, Any]
"""Those of a JSON object."""


class JanusError(RoomGatewayRefusedError):
    """Janus refused a request; its codes are explained in Janus' own documentation."""

    def __init__(self, code: int) -> None:
        super().__init__(reason=f"Janus answered with error {code}")
        self.code = code


@frozen(kw_only=True)
class Janus:
    """A Janus server with its VideoRoom plugin.

    A ``deadline`` is an instant of the event loop's clock. Whatever fails is an error of the port.
    """

    http: aiohttp.ClientSession
    api_url: str
    admin_url: str
    admin_secret: str = field(repr=False)

    async def ask(self, deadline: float, **request: object) -> Members:
        """Have the plugin carry out a request, over the Admin API: in one call, and no session."""
        answer = await self._send(
            self.admin_url,
            deadline,
            janus="message_plugin",
            plugin=_PLUGIN,
            admin_secret=self.admin_secret,
            request=request,
        )
        return _from_plugin(answer.get("response", {}))

    async def publishers(self, room: str, deadline: float) -> list[Members]:
        """Read who publishes what, which Janus tells only to those who join the room.

        If this is interrupted, Janus ends the visit once its session timeout is over.
        """
        answer = await self._send(self.api_url, deadline, janus="create")
        session_url = f"{self.api_url}/{answer['data']['id']}"
        answer = await self._send(session_url, deadline, janus="attach", plugin=_PLUGIN)
        handle_url = f"{session_url}/{answer['data']['id']}"
        visitor = f"{VISITOR}{uuid4().hex}"
        join = {"request": "join", "ptype": "publisher", "room": room, "id": visitor}
        await self._send(handle_url, deadline, janus="message", body=join)
        event = await self._receive(session_url, deadline)
        joined = _from_plugin(event.get("plugindata", {}).get("data", {}))
        await self._send(session_url, deadline, janus="destroy")
        return list(joined["publishers"])

    async def _send(self, url: str, deadline: float, **message: object) -> Members:
        transaction = {"transaction": uuid4().hex}
        return await self._call("POST", url, deadline, message | transaction)

    async def _receive(self, url: str, deadline: float) -> Members:
        return await self._call("GET", url, deadline, None)

    async def _call(
        self, method: str, url: str, deadline: float, message: Members | None
    ) -> Members:
        if deadline <= asyncio.get_running_loop().time():
            raise RoomGatewayUnavailableError(reason="no time left")
        try:
            async with (
                asyncio.timeout_at(deadline),
                self.http.request(method, url, json=message) as response,
            ):
                answer = await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise RoomGatewayUnavailableError(reason=type(error).__name__) from None
        match answer:
            case {"janus": "error", "error": {"code": int(code)}}:
                raise JanusError(code)
            case {"janus": str()}:
                return dict(answer)
        raise RoomGatewayUnavailableError(reason="the answer is not Janus'")


def _from_plugin(data: Members) -> Members:
    match data:
        case {"error_code": int(code)}:
            raise JanusError(code)
        case {"videoroom": str()}:
            return data
    raise RoomGatewayUnavailableError(reason="the answer is not the VideoRoom plugin's")
