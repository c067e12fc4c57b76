"""The calls of LiveKit's RoomService that we make."""

from collections.abc import Collection
from functools import partial
from typing import TypeVar

from attrs import field, frozen
from google.protobuf.message import Message
from livekit.api import (
    ListParticipantsRequest,
    ListParticipantsResponse,
    ListRoomsRequest,
    ListRoomsResponse,
    MuteRoomTrackRequest,
    MuteRoomTrackResponse,
    ParticipantInfo,
    RoomParticipantIdentity,
)

from adapters.http_client.client import HttpClient
from adapters.http_client.telemetry import Attempt
from adapters.livekit.answers import accept
from adapters.livekit.call import Call, Method
from adapters.livekit.errors import AnswerTooLargeError, UnusableAnswerError
from adapters.livekit.listing import read_listing
from adapters.livekit.tokens import AccessTokens
from domain.room import RoomName
from domain.track import ListedParticipant, Participant

M = TypeVar("M", bound=Message)

_FIRST = Attempt.FIRST  # found once: it takes a while in Python 3.11
_MAX_READ_BYTES = 1280 << 10
"""Rooms and participants have up to 524,288 bytes of metadata (LiveKit 1.13.5), participants
65,536 of attributes too; LiveKit 1.9.11 creates rooms with any size of metadata."""
_MAX_MUTE_BYTES = 512 << 10
_MAX_LISTING_BYTES = 16 << 20
"""3,000 participants with 5 KiB each, or 28 with as much metadata and attributes as LiveKit 1.13.5
allows; one with two tracks and no metadata takes 350 bytes."""
_LISTING_TOO_LARGE = f"the list of participants is larger than {_MAX_LISTING_BYTES >> 20} MiB"

_accept_read = partial(accept, max_bytes=_MAX_READ_BYTES)
_LIST_ROOMS = Method("ListRooms", ListRoomsResponse, _accept_read, is_repeated=True)
_LIST_PARTICIPANTS = Method(
    "ListParticipants",
    ListParticipantsResponse,
    partial(accept, max_bytes=_MAX_LISTING_BYTES),
    is_repeated=True,
)
_GET_PARTICIPANT = Method("GetParticipant", ParticipantInfo, _accept_read)
_MUTE_PUBLISHED_TRACK = Method(
    "MutePublishedTrack", MuteRoomTrackResponse, partial(accept, max_bytes=_MAX_MUTE_BYTES)
)


@frozen(kw_only=True)
class RoomServiceClient:
    """Makes each call under a token with the least grants.

    A ``deadline`` is an instant of the event loop's clock. Where a call fails, its error is a
    ``RoomGatewayError``.
    """

    http: HttpClient
    tokens: AccessTokens
    _path: str = field(init=False)

    @_path.default
    def _make_path(self) -> str:
        return f"{self.http.url.raw_path.rstrip('/')}/twirp/livekit.RoomService/"

    async def list_rooms(self, names: Collection[RoomName], deadline: float) -> ListRoomsResponse:
        """Read the rooms of these names, at least one: without names LiveKit lists every room.

        Repeated once where the connection is lost before the answer, or is a kept one that is
        silent for half of the time.
        """
        request = ListRoomsRequest(names=names)
        return await self._begin(_LIST_ROOMS, None, request, deadline, rooms=len(names)).answer()

    async def list_participants(
        self, room: RoomName, deadline: float
    ) -> tuple[ListedParticipant, ...]:
        """Read who is in a room; this may lag behind. Repeated as ``list_rooms`` is.

        Of a missing room LiveKit lists nobody, or says after 3 s that it is unavailable.
        """
        call = self._begin(_LIST_PARTICIPANTS, room, ListParticipantsRequest(room=room), deadline)
        try:
            return read_listing(await call.answer())
        except AnswerTooLargeError:
            raise UnusableAnswerError(reason=_LISTING_TOO_LARGE) from None

    async def get_participant(self, participant: Participant, deadline: float) -> ParticipantInfo:
        """Read a participant; its tracks may lag behind what was published or muted last.

        Raises:
            AbsentError: LiveKit says that there is no such participant or no such room.
        """
        room, identity = participant.room, participant.identity
        request = RoomParticipantIdentity(room=room, identity=identity)
        answer = await self._begin(_GET_PARTICIPANT, room, request, deadline).answer()
        if answer.identity != identity:
            raise UnusableAnswerError(reason="answered about another participant")
        return answer

    def begin_mute(
        self, request: MuteRoomTrackRequest, deadline: float, attempt: Attempt = _FIRST
    ) -> Call[MuteRoomTrackResponse]:
        """Send a mute."""
        room = RoomName(request.room)
        return Call(
            self.http,
            self._path,
            self.tokens,
            _MUTE_PUBLISHED_TRACK,
            room,
            request,
            deadline,
            attempt=attempt,
        )

    def _begin(
        self,
        method: Method[M],
        room: RoomName | None,
        request: Message,
        deadline: float,
        *,
        rooms: int = 0,
    ) -> Call[M]:
        return Call(self.http, self._path, self.tokens, method, room, request, deadline, rooms)
