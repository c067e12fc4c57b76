"""R11: the order of checks, each clause about two of them that both fail."""

from contract.rest.endpoint import JSON, MUTE, Endpoint

_UNKNOWN = "Authorization: Bearer no-such-token"
_TEXT = "Content-Type: text/plain"
_TOO_LARGE = b"{" * 16_385


def http_before_paths(rest: Endpoint) -> None:
    """R11.1 Malformed HTTP on an unknown path is answered with 400, not 404."""
    rest.send(rest.written("GET /nowhere HTTP/1.1", "No colon")).expect_status(400)


def paths_before_methods(rest: Endpoint) -> None:
    """R11.2 A method that no path supports, on an unknown path, is answered with 404, not 405."""
    rest.ask("DELETE", "/nowhere").expect_status(404)


def paths_before_credentials(rest: Endpoint) -> None:
    """R11.3 An unknown path or method is answered with 404 or 405 whatever the credentials."""
    for lines in ((), (_UNKNOWN,), (_UNKNOWN, _UNKNOWN)):
        rest.ask("POST", "/nowhere", *lines, body=b"{}").expect_status(404)
        rest.ask("GET", MUTE, *lines).expect_status(405)


def two_credentials_before_their_validity(rest: Endpoint) -> None:
    """R11.4 Two Authorization lines that are both not accepted are answered with 400, not 401."""
    rest.ask("POST", MUTE, _UNKNOWN, _UNKNOWN, JSON, body=b"{}").expect_status(400)


def credentials_before_types(rest: Endpoint) -> None:
    """R11.5 A wrong token with a body of another type is answered with 401, not 415."""
    rest.ask("POST", MUTE, _UNKNOWN, _TEXT, body=b"{}").expect_status(401)


def credentials_before_sizes(rest: Endpoint) -> None:
    """R11.6 A wrong token with a body that is too large is answered with 401, not 413."""
    rest.ask("POST", MUTE, _UNKNOWN, JSON, body=_TOO_LARGE).expect_status(401)


def credentials_before_contents(rest: Endpoint) -> None:
    """R11.7 A wrong token with an invalid body is answered with 401, not 400."""
    rest.ask("POST", MUTE, _UNKNOWN, JSON, body=b"{").expect_status(401)


def types_before_sizes(rest: Endpoint) -> None:
    """R11.8 A body that is too large and of another type is answered with 415, not 413."""
    rest.post(_TOO_LARGE, kind=_TEXT).expect_status(415)


def types_before_contents(rest: Endpoint) -> None:
    """R11.9 An invalid body of another type is answered with 415, not 400."""
    rest.post(b"{", kind=_TEXT).expect_status(415)


def sizes_before_contents(rest: Endpoint) -> None:
    """R11.10 An invalid body that is too large is answered with 413, not 400."""
    rest.post(_TOO_LARGE).expect_status(413)


def contents_before_rooms(rest: Endpoint) -> None:
    """R11.11 An invalid body that names another tenant's room is answered with 400, not 404."""
    place = rest.livekit.publish_in(rest.stranger.id)
    rest.mute(place.request(muted="true")).expect_status(400)


def rooms_before_participants(rest: Endpoint) -> None:
    """R11.12 In another tenant's room, an absent participant gets the code ROOM_NOT_FOUND."""
    place = rest.livekit.publish_in(rest.stranger.id)
    answer = rest.mute(place.request(participant_identity="nobody"))
    answer.expect_code("ROOM_NOT_FOUND")


def participants_before_tracks(rest: Endpoint) -> None:
    """R11.13 An unknown track of an absent participant gets the code PARTICIPANT_NOT_FOUND."""
    place = rest.livekit.publish_in(rest.tenant.id)
    answer = rest.mute(place.request(participant_identity="nobody", track_sid="TR_unknown"))
    answer.expect_code("PARTICIPANT_NOT_FOUND")


def checks_before_livekit(rest: Endpoint) -> None:
    """R11.14 A request that fails before the room is looked up costs no call to LiveKit."""
    body = rest.livekit.publish_in(rest.tenant.id).request()
    with rest.livekit.counting() as usual:
        valid = rest.mute(body)
    valid.require(usual, "a valid request to cost calls to LiveKit")
    with rest.livekit.counting() as made:
        answer = rest.mute({**body, "muted": 1})
        rest.ask("POST", MUTE, _UNKNOWN, JSON, body=b"{}")
        rest.post(b"{}", kind=_TEXT)
    answer.expect(not made, "no call to LiveKit", f"the calls {made}")


def owners_before_mutes(rest: Endpoint) -> None:
    """R11.15 In another tenant's room, LiveKit is asked for the room and for no mute."""
    place = rest.livekit.publish_in(rest.stranger.id)
    with rest.livekit.counting() as made:
        answer = rest.mute(place.request())
    asked = "ListRooms" in made and "MutePublishedTrack" not in made
    answer.expect(asked, "ListRooms and no MutePublishedTrack", f"the calls {made}")
