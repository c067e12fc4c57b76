"""LiveKit's calls that create, change and delete rooms, and remove participants."""

import asyncio
from collections.abc import Container

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


async def change(rooms: LiveKitRooms, asked: Message, grants: Grants) -> Message:
    """Carry out a request that the grants allow; an identity is of a participant to remove.

    Raises:
        TwirpError: LiveKit's own error.
    """
    match asked:
        case UpdateRoomMetadataRequest():
            _check_metadata(asked.metadata)  # before the grants
            if grants.room_admin_of == asked.room:
                return await _update_metadata(rooms, asked)
        case CreateRoomRequest() if grants.room_create:
            return await _create(rooms, asked)
        case DeleteRoomRequest() if grants.room_create:
            return await _delete(rooms, RoomName(asked.room))
        case RoomParticipantIdentity() if grants.room_admin_of == asked.room:
            return await _remove_participant(rooms, asked)
    raise TwirpError("unauthenticated", "permissions denied")


async def _create(rooms: LiveKitRooms, asked: CreateRoomRequest) -> RoomInfo:
    """Create a room; one that is there stays as it is."""
    if len(asked.name.encode()) > _MAX_NAME_BYTES:
        why = f"twirp error unknown: room name length exceeds limits: max length {_MAX_NAME_BYTES}"
        raise TwirpError("invalid_argument", why)
    _check_metadata(asked.metadata)
    await asyncio.sleep(0)  # LiveKit passes it on to a node, which a caller's timeout may prevent
    name = RoomName(asked.name)
    if name not in rooms.metadata:
        rooms.put_room(name, metadata=asked.metadata)
        rooms.infos[name] = new_room(asked)
    return rooms.info(name)


async def _update_metadata(rooms: LiveKitRooms, asked: UpdateRoomMetadataRequest) -> RoomInfo:
    name = RoomName(asked.room)
    await _pass_on(name, rooms.metadata)
    if name not in rooms.metadata:
        raise _no_room()
    rooms.put_room(name, metadata=asked.metadata)
    return rooms.info(name)


async def _delete(rooms: LiveKitRooms, name: RoomName) -> DeleteRoomResponse:
    """Delete a room with everybody in it."""
    await _pass_on(name, rooms.metadata)
    if name not in rooms.metadata:
        raise _no_room()
    for participant in [each for each in rooms.tracks if each.room == name]:
        rooms.remove_participant(participant)
    del rooms.metadata[name], rooms.infos[name]
    return DeleteRoomResponse()


async def _remove_participant(
    rooms: LiveKitRooms, asked: RoomParticipantIdentity
) -> RemoveParticipantResponse:
    participant = participant_of(asked)
    await _pass_on(participant, rooms.tracks)
    if participant not in rooms.tracks:
        raise TwirpError("not_found", "twirp error unknown: participant does not exist")
    rooms.remove_participant(participant)
    return RemoveParticipantResponse()


async def _pass_on(name: object, known: Container[object]) -> None:
    """Pass a request about what is there on to its node, which a caller's timeout may prevent."""
    if name in known:
        await asyncio.sleep(0)


def _no_room() -> TwirpError:
    return TwirpError("not_found", "twirp error unknown: requested room does not exist")


def _check_metadata(metadata: str) -> None:
    if len(metadata.encode()) > _MAX_METADATA_BYTES:
        why = "metadata size exceeds limits"
        raise TwirpError("invalid_argument", f"{why} {_MAX_METADATA_BYTES}", meta={"argument": why})
