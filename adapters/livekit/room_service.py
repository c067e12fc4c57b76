"""The calls of LiveKit's RoomService that we make, each within its deadline."""

import asyncio
from collections.abc import Collection
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
from attrs import field, frozen
from google.protobuf.message import Message
from livekit.api import (
    ListRoomsRequest,
    ListRoomsResponse,
    MuteRoomTrackRequest,
    MuteRoomTrackResponse,
    ParticipantInfo,
    RoomParticipantIdentity,
)
from livekit.api.twirp_client import TwirpClient

from adapters.livekit.causes import address
from adapters.livekit.errors import (
    FOREIGN_ERRORS,
    ConnectionLostError,
    TokenRefusedError,
    UnusableAnswerError,
    translate,
)
from adapters.livekit.session import handle_timeout, has_new_connection, timeout_reason
from adapters.livekit.tokens import AccessTokens
from application.ports.room_gateway import RoomGatewayError, RoomGatewayUnavailableError
from domain.room import RoomName
from domain.track import Participant

M = TypeVar("M", bound=Message)

_SHARE_LEFT = 0.01


@frozen(kw_only=True)
class RoomServiceClient:
    """Makes each call under a token with the least grants.

    A ``deadline`` is an instant of the event loop's clock. Every method raises a
    ``RoomGatewayError`` where the call fails.
    """

    url: str
    session: aiohttp.ClientSession
    tokens: AccessTokens
    _twirp: TwirpClient = field(init=False)
    _address: str = field(init=False)

    @_twirp.default
    def _make_twirp_client(self) -> TwirpClient:
        # Failover would send a call, also a mute, up to three times to LiveKit Cloud.
        return TwirpClient(self.session, self.url, "livekit", failover=False)

    @_address.default
    def _read_address(self) -> str:
        parts = urlsplit(self.url)
        return address(parts.hostname, parts.port)

    async def list_rooms(self, names: Collection[RoomName], deadline: float) -> ListRoomsResponse:
        """Read the rooms of these names, at least one: without names LiveKit lists every room.

        Retried once where the connection is lost before the answer, as pooled ones can be.
        """
        return await self._call(
            "ListRooms",
            None,
            ListRoomsRequest(names=names),
            ListRoomsResponse,
            deadline,
            also_after=(ConnectionLostError,),
        )

    async def get_participant(self, participant: Participant, deadline: float) -> ParticipantInfo:
        """Read a participant; its tracks may lag behind what was published or muted last.

        Raises:
            AbsentError: LiveKit says that there is no such participant or no such room.
        """
        answer = await self._call(
            "GetParticipant",
            participant.room,
            RoomParticipantIdentity(room=participant.room, identity=participant.identity),
            ParticipantInfo,
            deadline,
        )
        if answer.identity != participant.identity:
            raise UnusableAnswerError(reason="answered about another participant")
        return answer

    async def mute_published_track(
        self, request: MuteRoomTrackRequest, deadline: float
    ) -> MuteRoomTrackResponse:
        """Send a mute; again only where it was surely not carried out: the token was refused."""
        return await self._call(
            "MutePublishedTrack",
            RoomName(request.room),
            request,
            MuteRoomTrackResponse,
            deadline,
        )

    async def _call(  # noqa: PLR0913 - one parameter for each part of a call
        self,
        method: str,
        room: RoomName | None,
        request: Message,
        response: type[M],
        deadline: float,
        *,
        also_after: tuple[type[RoomGatewayError], ...] = (),
    ) -> M:
        """Make a call, and once more where LiveKit refuses the token or after certain errors.

        ``room`` is the one that the token is for, ``None`` for listing.
        """
        token = self.tokens.token_for(room)
        try:
            return await self._attempt(method, token, request, response, deadline)
        except TokenRefusedError:
            renewed = self.tokens.renewed_for(room, refused=token)
            if renewed is None:
                raise
            token = renewed
        except also_after:
            pass
        return await self._attempt(method, token, request, response, deadline)

    async def _attempt(
        self, method: str, token: str, request: Message, response: type[M], deadline: float
    ) -> M:
        left_s = time_left_s(deadline)
        headers = {
            "Authorization": f"Bearer {token}",
            "X-Twirp-Timeout-Ms": str(max(1, round(left_s * 1000))),
        }
        try:
            # livekit-api has no timeout of its own. This one is a little sooner than the deadline,
            # so that its reason is known to whoever waits for the answer until then.
            async with asyncio.timeout_at(deadline - left_s * _SHARE_LEFT):
                return await self._twirp.request("RoomService", method, request, headers, response)
        except TimeoutError:
            handle_timeout(self.session)
            reason = timeout_reason(self._address)
        except FOREIGN_ERRORS as error:
            raise translate(error, on_new_connection=has_new_connection()) from None
        raise RoomGatewayUnavailableError(reason=reason)


def time_left_s(deadline: float) -> float:
    """Return the seconds that are left, more than 0.

    Raises:
        RoomGatewayUnavailableError: none are.
    """
    left_s = deadline - asyncio.get_running_loop().time()
    if left_s <= 0:
        raise RoomGatewayUnavailableError(reason="no time left")
    return left_s
