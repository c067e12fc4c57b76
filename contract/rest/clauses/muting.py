"""R1: what a mute does, and how its success is answered."""

from contract.rest.answer import Answer
from contract.rest.arranging import Place
from contract.rest.endpoint import Endpoint

_FIELDS = {"room_name", "participant_identity", "track_sid", "muted"}
_OTHERWISE = ("{0} ", " {0}", "{0}\u3000", "{0}x", "x{0}", "-{0}")


def mutes(rest: Endpoint) -> None:
    """R1.1 A mute of a published track is answered with 200."""
    rest.mute(rest.livekit.publish_in(rest.tenant.id).request()).expect_status(200)


def unmutes(rest: Endpoint) -> None:
    """R1.2 An unmute of a published track is answered with 200, if LiveKit allows unmuting."""
    place = rest.livekit.publish_in(rest.tenant.id, muted=True)
    rest.mute(place.request(muted=False)).expect_status(200)


def has_muted(rest: Endpoint) -> None:
    """R1.3 After the 200 to a mute, LiveKit has the track as muted."""
    place = rest.livekit.publish_in(rest.tenant.id)
    answer = rest.mute(place.request())
    answer.require_status(200)
    answer.expect(rest.livekit.is_muted(place), "LiveKit to have the track as muted")


def has_unmuted(rest: Endpoint) -> None:
    """R1.4 After the 200 to an unmute, LiveKit has the track as not muted."""
    place = rest.livekit.publish_in(rest.tenant.id, muted=True)
    answer = rest.mute(place.request(muted=False))
    answer.require_status(200)
    answer.expect(not rest.livekit.is_muted(place), "LiveKit to have the track as not muted")


def touches_no_other_track(rest: Endpoint) -> None:
    """R1.5 Only the named track changes, not others of that participant or room."""
    place = rest.livekit.publish_in(rest.tenant.id)
    others = [
        rest.livekit.publish(place.room, place.identity, joins=False),
        rest.livekit.publish(place.room, "bob"),
    ]
    answer = rest.mute(place.request())
    answer.require(rest.livekit.is_muted(place), "the named track to change")
    changed = [other.sid for other in others if rest.livekit.is_muted(other)]
    answer.expect(not changed, "no other track to change", f"{answer}, and {changed} muted too")


def answers_with_four_fields(rest: Endpoint) -> None:
    """R1.6 A 200 has the fields of the request and no others, with its three names unchanged."""
    asked = rest.livekit.publish_in(rest.tenant.id).request()
    answer = rest.mute(asked)
    answer.require_status(200)
    members = answer.members
    names = _FIELDS - {"muted"}
    answer.expect(members.keys() == _FIELDS, f"the fields {', '.join(sorted(_FIELDS))}")
    answer.expect({n: members[n] for n in names} == {n: asked[n] for n in names}, "the same names")


def tells_the_state(rest: Endpoint) -> None:
    """R1.7 The field muted of a 200 is a boolean, the state of the track after the request."""
    place = rest.livekit.publish_in(rest.tenant.id)
    for muted in (True, False):
        answer = rest.mute(place.request(muted=muted))
        answer.require_status(200)
        answer.expect(answer.members.get("muted") is muted, f'"muted": {str(muted).lower()}')


def does_not_echo(rest: Endpoint) -> None:
    """R1.8 That state is the one that LiveKit reports, not an echo of the request."""
    place = rest.livekit.publish_in(rest.tenant.id)
    answers = [_mute_reported_unmuted(rest, place, kind) for kind in ("protobuf", "json")]
    understood = next((each for each in answers if each.status < 400), answers[0])  # noqa: PLR2004
    understood.require_status(200)
    understood.expect(understood.members.get("muted") is False, '"muted": false, as LiveKit says')


def repeats(rest: Endpoint) -> None:
    """R1.9 A request for the state that a track already has is answered with 200."""
    place = rest.livekit.publish_in(rest.tenant.id)
    rest.mute(place.request())
    rest.mute(place.request()).expect_status(200)


def takes_rooms_exactly(rest: Endpoint) -> None:
    """R1.10 The name of a room is used exactly as sent: a similar one is not found."""
    place = rest.livekit.publish_in(rest.tenant.id)
    _expect_no_similar(rest, place, "room_name", place.room)


def takes_identities_exactly(rest: Endpoint) -> None:
    """R1.11 The identity of a participant is used exactly as sent: a similar one is not found."""
    place = rest.livekit.publish_in(rest.tenant.id)
    _expect_no_similar(rest, place, "participant_identity", place.identity)


def takes_sids_exactly(rest: Endpoint) -> None:
    """R1.12 The sid of a track is used exactly as sent: a similar one is not found."""
    place = rest.livekit.publish_in(rest.tenant.id)
    _expect_no_similar(rest, place, "track_sid", place.sid)


def takes_any_name(rest: Endpoint) -> None:
    """R1.13 Names may have any character: white space at their ends, accents, emoji, slashes."""
    name = rest.livekit.open_room(owner=rest.tenant.id)
    for text in (f" {name}", f"{name}\u3000", f"e\u0301-{name}", f"\U0001f600/{name}%20?&'\""):
        room = rest.livekit.open_room(owner=rest.tenant.id, name=text)
        place = rest.livekit.publish(room, text)
        answer = rest.mute(place.request()).expect_status(200)
        answer.expect(rest.livekit.is_muted(place), "that track to be muted")


def ignores_other_fields(rest: Endpoint) -> None:
    """R1.14 Fields of the body other than these four are ignored."""
    asked = rest.livekit.publish_in(rest.tenant.id).request(more={"nested": [1, None]}, muted_=1)
    rest.mute(asked).expect_status(200)


def _mute_reported_unmuted(rest: Endpoint, place: Place, kind: str) -> Answer:
    """Mute while LiveKit reports the track as not muted, in protobuf or JSON."""
    track = f"\n{chr(len(place.sid))}{place.sid}"
    protobuf = f"\n{chr(len(track))}{track}"
    body = protobuf if kind == "protobuf" else f'{{"track": {{"sid": "{place.sid}"}}}}'
    http = {"status": 200, "content_type": f"application/{kind}", "body": body}
    rest.livekit.fail("MutePublishedTrack", {"http": http}, times=1)
    return rest.mute(place.request())


def _expect_no_similar(rest: Endpoint, place: Place, field: str, name: str) -> None:
    for form in (*_OTHERWISE, "swapped"):
        similar = name.swapcase() if form == "swapped" else form.format(name)
        answer = rest.mute(place.request(**{field: similar}))
        answer.expect_status(404)
        answer.expect(not rest.livekit.is_muted(place), "the other track not to be muted")
    rest.mute(place.request()).require_status(200)
