"""R6: what is not there, and what LiveKit does not allow."""

from contract.rest.endpoint import Endpoint


def finds_no_absent_participant(rest: Endpoint) -> None:
    """R6.1 A participant who is not in the room is answered with 404."""
    place = rest.livekit.publish_in(rest.tenant.id)
    rest.mute(place.request(participant_identity="nobody")).expect_status(404)


def finds_nobody_who_left(rest: Endpoint) -> None:
    """R6.2 A participant who has left is answered with 404."""
    place = rest.livekit.publish_in(rest.tenant.id)
    rest.livekit.leave(place.room, place.identity)
    rest.mute(place.request()).expect_status(404)


def tells_the_code_of_participants(rest: Endpoint) -> None:
    """R6.3 The code for an absent participant is PARTICIPANT_NOT_FOUND."""
    place = rest.livekit.publish_in(rest.tenant.id)
    rest.mute(place.request(participant_identity="nobody")).expect_code("PARTICIPANT_NOT_FOUND")


def finds_no_unknown_track(rest: Endpoint) -> None:
    """R6.4 A track that was never published is answered with 404."""
    place = rest.livekit.publish_in(rest.tenant.id)
    rest.mute(place.request(track_sid="TR_unknown")).expect_status(404)


def finds_no_unpublished_track(rest: Endpoint) -> None:
    """R6.5 A track that is published no longer is answered with 404."""
    place = rest.livekit.publish_in(rest.tenant.id)
    rest.livekit.unpublish(place)
    rest.mute(place.request()).expect_status(404)


def finds_no_track_of_others(rest: Endpoint) -> None:
    """R6.6 A track that another participant publishes is answered with 404, and stays as it is."""
    place = rest.livekit.publish_in(rest.tenant.id)
    other = rest.livekit.publish(place.room, "bob")
    answer = rest.mute(place.request(track_sid=other.sid)).expect_status(404)
    answer.expect(not rest.livekit.is_muted(other), "no change of the other's track")


def tells_the_code_of_tracks(rest: Endpoint) -> None:
    """R6.7 The code for a track that the participant does not publish is TRACK_NOT_FOUND."""
    place = rest.livekit.publish_in(rest.tenant.id)
    rest.mute(place.request(track_sid="TR_unknown")).expect_code("TRACK_NOT_FOUND")


def tells_that_unmuting_is_disabled(rest: Endpoint) -> None:
    """R6.8 An unmute that LiveKit's configuration forbids is answered with 500."""
    place = rest.livekit.publish_in(rest.tenant.id, muted=True)
    rest.livekit.forbid_unmute()
    rest.mute(place.request(muted=False)).expect_status(500)


def tells_the_code_of_unmuting(rest: Endpoint) -> None:
    """R6.9 The code for a forbidden unmute, also of an unknown track, is REMOTE_UNMUTE_DISABLED."""
    place = rest.livekit.publish_in(rest.tenant.id, muted=True)
    rest.livekit.forbid_unmute()
    for sid in (place.sid, "TR_unknown"):
        answer = rest.mute(place.request(muted=False, track_sid=sid))
        answer.expect_code("REMOTE_UNMUTE_DISABLED")


def names_the_setting(rest: Endpoint) -> None:
    """R6.10 The message about a forbidden unmute names the setting, enable_remote_unmute."""
    place = rest.livekit.publish_in(rest.tenant.id, muted=True)
    rest.livekit.forbid_unmute()
    answer = rest.mute(place.request(muted=False))
    answer.expect("enable_remote_unmute" in answer.error, "enable_remote_unmute in the message")


def mutes_where_unmuting_is_disabled(rest: Endpoint) -> None:
    """R6.11 A mute is answered with 200 even if LiveKit forbids unmuting."""
    place = rest.livekit.publish_in(rest.tenant.id)
    rest.livekit.forbid_unmute()
    rest.mute(place.request()).expect_status(200)
