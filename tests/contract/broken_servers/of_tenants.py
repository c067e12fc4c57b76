"""Servers that let tenants into rooms of others, or tell that there are some (R5)."""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress

from attrs import evolve

from contract.rest.arranging import Place
from contract.rest.broken import NotArrangedError
from contract.rest.endpoint import Endpoint
from tests.contract.broken_servers.broken import Broken, requests
from tests.contract.broken_servers.messages import Change, Reply, Sent
from tests.contract.broken_servers.rooms import is_foreign, metadata_of, mute, published_in


def _caller(endpoint: Endpoint, sent: Sent) -> str:
    return next(
        (
            each.id
            for each in endpoint.tenants
            if each.bearer.endswith("".join(sent.values("Authorization")))
        ),
        "",
    )


def _adopt(endpoint: Endpoint, room: str, caller: str, when: Callable[[str, str], bool]) -> None:
    metadata = metadata_of(endpoint, room)
    if metadata is not None and when(metadata, caller):
        endpoint.livekit.update_metadata(room, json.dumps({"auth_id": caller}))


def _adopts(when: Callable[[str, str], bool]) -> Callable[[Endpoint, Sent], bytes]:
    """Make the caller the owner of a room, where its metadata and the caller's id say so."""

    def change(endpoint: Endpoint, sent: Sent) -> bytes:
        caller, room = _caller(endpoint, sent), sent.members.get("room_name")
        if caller and isinstance(room, str) and isinstance(sent.members.get("muted"), bool):
            with suppress(NotArrangedError):  # while LiveKit is made to fail
                _adopt(endpoint, room, caller, when)
        return sent.raw

    return change


def _last_of_two(metadata: str, caller: str) -> bool:
    return metadata.count('"auth_id"') == 2 and json.loads(metadata)["auth_id"] == caller


def _similar(metadata: str, caller: str) -> bool:
    found = re.fullmatch(r'\{"auth_id": "(.*)"\}', metadata)
    return found is not None and found[1].strip().lower() == caller.lower()


def _tells(change: Callable[[Reply], Reply]) -> Callable[[Endpoint], Change]:
    return lambda endpoint: (
        lambda sent, reply: change(reply) if is_foreign(endpoint, sent, reply) else reply
    )


def _mutes_first(endpoint: Endpoint) -> Change:
    def change(sent: Sent, reply: Reply) -> Reply:
        if is_foreign(endpoint, sent, reply):
            room, sid = str(sent.members.get("room_name")), sent.members.get("track_sid")
            for place in published_in(endpoint, room):
                if place.sid == sid:
                    mute(endpoint, Place(room=room, identity=place.identity, sid=sid))
        return reply

    return change


def _looks_closer(endpoint: Endpoint) -> Change:
    def change(sent: Sent, reply: Reply) -> Reply:
        if is_foreign(endpoint, sent, reply):
            list(published_in(endpoint, str(sent.members.get("room_name"))))
        return reply

    return change


def _remembers(_: Endpoint) -> Change:
    kept: dict[bytes, Reply] = {}

    def change(sent: Sent, reply: Reply) -> Reply:
        if reply.status == 200 and sent.is_mute:
            kept.setdefault(sent.raw, reply)
        return kept.get(sent.raw, reply)

    return change


_OPEN = "R5.2 R5.3 R5.4 R5.5 R5.7 R5.8 R5.9 R5.10 R5.11 R5.12 R11.12 R11.15"
TENANTS: Mapping[str, Broken] = {
    "one tenant only": Broken(
        breaks="R5.1 R5.12",
        change_reply=lambda endpoint: (
            lambda sent, reply: (
                evolve(reply, status=404)
                if endpoint.stranger.token in sent.head and reply.status == 200
                else reply
            )
        ),
    ),
    "every room is open": requests(_OPEN, _adopts(lambda _, __: True)),
    "403 for rooms of others": Broken(
        breaks="R5.2 R5.4 R5.8 R5.9 R5.10 R5.11 R5.12",
        change_reply=_tells(lambda reply: evolve(reply, status=403)),
    ),
    "another message for rooms of others": Broken(
        breaks="R5.4", change_reply=_tells(lambda reply: reply.changed(error="not your room"))
    ),
    "another header for rooms of others": Broken(
        breaks="R5.4", change_reply=_tells(lambda reply: reply.having("X-Owner", "other"))
    ),
    "another code for rooms of others": Broken(
        breaks="R5.4 R5.7 R11.12", change_reply=_tells(lambda reply: reply.changed(code="FOREIGN"))
    ),
    "more calls for rooms of others": Broken(breaks="R5.5", change_reply=_looks_closer),
    "mutes, then looks for the owner": Broken(breaks="R5.3 R5.5 R11.15", change_reply=_mutes_first),
    "400 for a missing room": Broken(
        breaks="R5.4 R5.6 R5.13 R1.10",
        change_reply=lambda endpoint: (
            lambda sent, reply: (
                evolve(reply, status=400)
                if reply.code == "ROOM_NOT_FOUND" and not is_foreign(endpoint, sent, reply)
                else reply
            )
        ),
    ),
    "rooms without owner are open": requests("R5.8", _adopts(lambda text, _: text in ("", "{}"))),
    "the last of two owners": requests("R5.9", _adopts(_last_of_two)),
    "an owner in what is not JSON": requests(
        "R5.10", _adopts(lambda text, caller: text == f'auth_id="{caller}"')
    ),
    "similar owners": requests("R5.11", _adopts(_similar)),
    "answers from a cache": Broken(breaks="R5.12 R5.13", change_reply=_remembers),
}
