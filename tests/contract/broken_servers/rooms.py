"""LiveKit as broken servers use it, past the service."""

from collections.abc import Iterator

from contract.rest.arranging import Place
from contract.rest.endpoint import Endpoint
from tests.contract.broken_servers.messages import Reply, Sent


def published_in(endpoint: Endpoint, room: str) -> Iterator[Place]:
    """Yield the tracks that are published in a room."""
    grants = {"roomAdmin": True, "room": room}
    found = endpoint.livekit.call("ListParticipants", grants, room=room)
    for participant in found.get("participants", []):
        for track in participant.get("tracks", []):
            yield Place(room=room, identity=participant["identity"], sid=track["sid"])


def mute(endpoint: Endpoint, place: Place) -> None:
    """Mute a track."""
    endpoint.livekit.call(
        "MutePublishedTrack",
        {"roomAdmin": True, "room": place.room},
        room=place.room,
        identity=place.identity,
        track_sid=place.sid,
        muted=True,
    )


def metadata_of(endpoint: Endpoint, room: str) -> str | None:
    """Return the metadata of a room, or None where there is no such room."""
    rooms = endpoint.livekit.call("ListRooms", {"roomList": True}, names=[room]).get("rooms", [])
    return str(rooms[0].get("metadata", "")) if rooms else None


def is_foreign(endpoint: Endpoint, sent: Sent, reply: Reply) -> bool:
    """Return whether a reply hides a room that there is."""
    if reply.code != "ROOM_NOT_FOUND":
        return False
    return metadata_of(endpoint, str(sent.members.get("room_name"))) is not None
