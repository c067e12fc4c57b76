"""A participant of a room of Janus', who publishes over WebRTC."""

import asyncio
from typing import Any
from uuid import uuid4

import aiohttp
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from attrs import define, field


@define
class JanusClient:
    """A session with Janus, a WebRTC connection, and what Janus has told about both.

    Attributes:
        muted: of each mid that a moderator has muted or unmuted, whether it is muted.
    """

    _http: aiohttp.ClientSession
    _api_url: str
    _identity: str
    _session_url: str = field(init=False)
    _handle_url: str = field(init=False)
    _receiving: asyncio.Task[None] = field(init=False)
    _events: dict[str, asyncio.Future[dict[str, Any]]] = field(init=False, factory=dict)
    _peer: RTCPeerConnection = field(init=False, factory=RTCPeerConnection)
    muted: dict[str, bool] = field(init=False, factory=dict)

    async def join(self, room: str) -> None:
        """Open the session and enter a room."""
        created = await self._post(self._api_url, {"janus": "create"})
        self._session_url = f"{self._api_url}/{created['data']['id']}"
        attach = {"janus": "attach", "plugin": "janus.plugin.videoroom"}
        attached = await self._post(self._session_url, attach)
        self._handle_url = f"{self._session_url}/{attached['data']['id']}"
        self._receiving = asyncio.create_task(self._receive())
        await self.ask(request="join", ptype="publisher", room=room, id=self._identity)

    async def publish(self, track: MediaStreamTrack, description: str) -> str:
        """Publish one more track, with a description, and return the mid of its stream."""
        transceiver = self._peer.addTransceiver(track, "sendonly")
        await self._peer.setLocalDescription(await self._peer.createOffer())
        offer = {"type": "offer", "sdp": self._peer.localDescription.sdp}
        described = [{"mid": transceiver.mid, "description": description}]
        event = await self.ask(offer, request="configure", descriptions=described)
        await self._peer.setRemoteDescription(RTCSessionDescription(**event["jsep"]))
        await _connected(self._peer)
        return str(transceiver.mid)

    async def unpublish(self) -> None:
        """Unpublish all tracks; the next one is published over another connection."""
        await self.ask(request="unpublish")
        await self._peer.close()
        self._peer = RTCPeerConnection()

    async def leave(self) -> None:
        """End the session, and so the participation."""
        self._receiving.cancel()
        await asyncio.wait({self._receiving})
        await self._peer.close()
        await self._post(self._session_url, {"janus": "destroy"})

    async def ask(self, jsep: dict[str, str] | None = None, **body: object) -> dict[str, Any]:
        """Send a request to the plugin, and return its event; those before it are known by then."""
        transaction = uuid4().hex
        event: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._events[transaction] = event
        message = {"janus": "message", "transaction": transaction, "body": body}
        await self._post(self._handle_url, message | ({"jsep": jsep} if jsep else {}))
        return await event

    async def _post(self, url: str, message: dict[str, Any]) -> dict[str, Any]:
        async with self._http.post(url, json={"transaction": "any"} | message) as response:
            answer: dict[str, Any] = await response.json()
            return answer

    async def _receive(self) -> None:
        while True:
            async with self._http.get(self._session_url) as response:
                event = await response.json()
            told = event.get("plugindata", {}).get("data", {})
            if "moderation" in told and told["id"] == self._identity:
                self.muted[told["mid"]] = told["moderation"] == "muted"
            if waited_for := self._events.pop(event.get("transaction", ""), None):
                waited_for.set_result(event)


async def _connected(peer: RTCPeerConnection) -> None:
    while peer.connectionState != "connected":  # noqa: ASYNC110 - its events name no state
        await asyncio.sleep(0.01)
