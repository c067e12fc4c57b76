"""LiveKit's calls that create, change and delete rooms, and remove participants."""

from google.protobuf.message import Message
from livekit.protocol.models import Room as RoomInfo
from livekit.protocol.room import (
    CreateRoomRequest,
    DeleteRoomRequest,
    DeleteRoomResponse,
    RemoveParticipantResponse,
    RoomParticipantIdentity,
    UpdateRoomMetadataRequest,
)

from contract.livekit_messages import new_room
from contract.livekit_rooms import LiveKitRooms, participant_of
from contract.livekit_token import Grants
from contract.twirp import TwirpError
from domain.room import RoomName

_MAX_METADATA_BYTES = 524_288
_MAX_NAME_BYTES = 256


def change(rooms: LiveKitRooms, asked: Message, grants: Grants) -> Message:
    """Carry out a request that the grants allow; an identity is of a participant to remove.

    Raises:
        TwirpError: LiveKit's own error.
    """
    match asked:
        case UpdateRoomMetadataRequest():
            _check_metadata(asked.metadata)  # before the grants
            if grants.room_admin_of == asked.room:
                return _update_metadata(rooms, asked)
        case CreateRoomRequest() if grants.room_create:
            return _create(rooms, asked)
        case DeleteRoomRequest() if grants.room_create:
            return _delete(rooms, RoomName(asked.room))
        case RoomParticipantIdentity() if grants.room_admin_of == asked.room:
            return _remove_participant(rooms, asked)
    raise TwirpError("unauthenticated", "permissions denied")


def _create(rooms: LiveKitRooms, asked: CreateRoomRequest) -> RoomInfo:
    """Create a room; one that is there stays as it is."""
    if len(asked.name.encode()) > _MAX_NAME_BYTES:
        why = f"twirp error unknown: room name length exceeds limits: max length {_MAX_NAME_BYTES}"
        raise TwirpError("invalid_argument", why)
    _check_metadata(asked.metadata)
    name = RoomName(asked.name)
    if name not in rooms.metadata:
        rooms.put_room(name, metadata=asked.metadata)
        rooms.infos[name] = new_room(asked)
    return rooms.info(name)


def _update_metadata(rooms: LiveKitRooms, asked: UpdateRoomMetadataRequest) -> RoomInfo:
    name = RoomName(asked.room)
    if name not in rooms.metadata:
        raise _no_room()
    rooms.put_room(name, metadata=asked.metadata)
    return rooms.info(name)


def _delete(rooms: LiveKitRooms, name: RoomName) -> DeleteRoomResponse:
    """Delete a room with everybody in it."""
    if name not in rooms.metadata:
        raise _no_room()
    for participant in [each for each in rooms.tracks if each.room == name]:
        rooms.remove_participant(participant)
    del rooms.metadata[name], rooms.infos[name]
    return DeleteRoomResponse()


def _remove_participant(
    rooms: LiveKitRooms, asked: RoomParticipantIdentity
) -> RemoveParticipantResponse:
    participant = participant_of(asked)
    if participant not in rooms.tracks:
        raise TwirpError("not_found", "twirp error unknown: participant does not exist")
    rooms.remove_participant(participant)
    return RemoveParticipantResponse()


def _no_room() -> TwirpError:
    return TwirpError("not_found", "twirp error unknown: requested room does not exist")


def _check_metadata(metadata: str) -> None:
    if len(metadata.encode()) > _MAX_METADATA_BYTES:
        why = "metadata size exceeds limits"
        raise TwirpError("invalid_argument", f"{why} {_MAX_METADATA_BYTES}", meta={"argument": why})
