"""The control interface: what only media makes, and LiveKit's faults, arranged over HTTP."""

import json
import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from aiohttp import web
from attrs import frozen

from contract.livekit_double import requests
from contract.livekit_double.double import LiveKitDouble
from contract.livekit_double.requests import WrongInputError
from contract.livekit_messages import new_sid
from contract.livekit_rooms import LiveKitRooms
from domain.room import RoomName
from domain.strict_json import DuplicateKeyError, StrictJsonError, loads_object
from domain.track import (
    Participant,
    ParticipantIdentity,
    PublishedTrack,
    TrackKind,
    TrackSid,
    TrackSource,
)

T = TypeVar("T")

_PREFIX = "/double/"


class _NotThereError(Exception):
    """A request is about somebody or something that was not arranged before."""


@frozen
class Control:
    """Arranges a double; ``reset`` gives it new rooms."""

    _double: LiveKitDouble
    _new_rooms: Callable[[], LiveKitRooms]

    def routes(self) -> Iterable[web.RouteDef]:
        """List the routes to add to the double's own application."""
        return [
            _post("join", requests.Somebody, self._join),
            _post("leave", requests.Somebody, self._leave),
            _post("publish", requests.Publish, self._publish),
            _post("unpublish", requests.Unpublish, self._unpublish),
            _post("configure", requests.Configure, self._configure),
            _post("fail", requests.Fail, self._fail),
            _post("reset", requests.Nothing, self._reset),
            web.get(f"{_PREFIX}calls", self._calls),
            web.route("*", f"{_PREFIX}{{rest:.*}}", _unknown),
        ]

    def _join(self, asked: requests.Somebody) -> None:
        """Replace a participant of the same identity, as LiveKit does."""
        participant, rooms = _participant(asked), self._double.rooms
        if participant.room not in rooms.metadata:
            rooms.put_room(participant.room)
        rooms.tracks.pop(participant, None)
        rooms.put_participant(participant)

    def _leave(self, asked: requests.Somebody) -> None:
        self._double.rooms.remove_participant(self._present(asked))

    def _publish(self, asked: requests.Publish) -> dict[str, str]:
        sid = TrackSid(asked.sid or new_sid("TR_"))
        track = PublishedTrack(
            sid=sid,
            muted=asked.muted,
            kind=TrackKind(asked.kind),
            source=TrackSource(asked.source),
        )
        self._double.rooms.put_track(self._present(asked), track)
        return {"sid": sid}

    def _unpublish(self, asked: requests.Unpublish) -> None:
        participant, sid = self._present(asked), TrackSid(asked.sid)
        if sid not in self._double.rooms.tracks[participant]:
            raise _NotThereError(f"sid: the participant publishes no {asked.sid!r}")
        self._double.rooms.remove_track(participant, sid)

    def _configure(self, asked: requests.Configure) -> None:
        if asked.remote_unmute is not None:
            self._double.rooms.remote_unmute = asked.remote_unmute
        if asked.absent_wait_s is not None:
            self._double.rooms.absent_wait_s = asked.absent_wait_s

    def _fail(self, asked: requests.Fail) -> None:
        self._double.fail(
            None if asked.call == requests.ANY_CALL else asked.call,
            asked.answer,
            times=math.inf if asked.times is None else asked.times,
        )

    def _reset(self, _asked: requests.Nothing) -> None:
        self._double.reset(self._new_rooms())

    async def _calls(self, _request: web.Request) -> web.Response:
        return _json(200, self._double.calls)

    def _present(self, asked: requests.Somebody) -> Participant:
        participant = _participant(asked)
        if participant not in self._double.rooms.tracks:
            raise _NotThereError(f"identity: {asked.identity!r} is not in the room {asked.room!r}")
        return participant


def _post(name: str, kind: type[T], act: Callable[[T], object]) -> web.RouteDef:
    return web.post(f"{_PREFIX}{name}", partial(_perform, kind, act))


async def _perform(kind: type[T], act: Callable[[T], object], request: web.Request) -> web.Response:
    try:
        done = act(requests.read(kind, loads_object(await request.read() or b"{}")))
    except DuplicateKeyError as error:
        return _json(400, {"error": f"{error.key}: given twice"})
    except StrictJsonError as error:
        return _json(400, {"error": f"the body {error}"})
    except WrongInputError as error:
        return _json(400, {"error": str(error)})
    except _NotThereError as error:
        return _json(404, {"error": str(error)})
    return web.Response(status=204) if done is None else _json(200, done)


async def _unknown(request: web.Request) -> web.Response:
    return _json(404, {"error": f"there is no {request.method} {request.path}"})


def _json(status: int, value: object) -> web.Response:
    return web.Response(
        status=status, body=json.dumps(value).encode(), content_type="application/json"
    )


def _participant(asked: requests.Somebody) -> Participant:
    return Participant(room=RoomName(asked.room), identity=ParticipantIdentity(asked.identity))
