"""R5: each tenant reaches its own rooms, and cannot learn of others."""

import json

from contract.rest.answer import Answer
from contract.rest.arranging import Place
from contract.rest.endpoint import Endpoint

_MASKED = ("date", "x-request-id")  # headers that differ from answer to answer


def lets_owners_in(rest: Endpoint) -> None:
    """R5.1 Each tenant can mute in a room whose metadata has its id in auth_id."""
    for tenant in rest.tenants:
        place = rest.livekit.publish_in(tenant.id)
        rest.mute(place.request(), tenant=tenant).expect_status(200)


def masks_other_tenants_rooms(rest: Endpoint) -> None:
    """R5.2 A mute in another tenant's room is answered with 404."""
    place = rest.livekit.publish_in(rest.tenant.id)
    rest.mute(place.request(), tenant=rest.stranger).expect_status(404)


def leaves_other_tenants_tracks(rest: Endpoint) -> None:
    """R5.3 A mute in another tenant's room changes nothing there."""
    place = rest.livekit.publish_in(rest.tenant.id)
    answer = rest.mute(place.request(), tenant=rest.stranger)
    answer.expect(not rest.livekit.is_muted(place), "no change", f"{answer}, and the track muted")
    rest.mute(place.request()).require_status(200)


def answers_alike(rest: Endpoint) -> None:
    """R5.4 Another tenant's room and a missing one get the same status, headers and body."""
    foreign, missing = _foreign(rest), _missing(rest)
    foreign.expect(
        _compared(foreign) == _compared(missing),
        f"the answer to a missing room, {missing}",
        _difference(foreign, missing),
    )


def calls_alike(rest: Endpoint) -> None:
    """R5.5 Another tenant's room and a missing one cost the same calls to LiveKit."""
    foreign, missing = rest.livekit.publish_in(rest.stranger.id), _deleted(rest)
    with rest.livekit.counting() as for_foreign:
        answer = rest.mute(foreign.request())
    with rest.livekit.counting() as for_missing:
        rest.mute(missing.request())
    answer.require(for_foreign or for_missing, "calls to LiveKit")
    answer.expect(
        for_foreign == for_missing, f"the calls {for_missing}", f"the calls {for_foreign}"
    )


def finds_no_missing_room(rest: Endpoint) -> None:
    """R5.6 A room that does not exist is answered with 404."""
    _missing(rest).expect_status(404)


def tells_its_code(rest: Endpoint) -> None:
    """R5.7 The code for a missing room and for another tenant's is ROOM_NOT_FOUND."""
    _missing(rest).expect_code("ROOM_NOT_FOUND")
    _foreign(rest).expect_code("ROOM_NOT_FOUND")


def closes_rooms_without_owner(rest: Endpoint) -> None:
    """R5.8 A room whose metadata has no text in auth_id has no owner: 404 for every tenant."""
    own = json.dumps(rest.tenant.id)
    for metadata in (
        *("", "{}", own, f"[{own}]", '{"auth_id": null}', '{"auth_id": " "}'),
        *(f'{{"auth_id": [{own}]}}', f'{{"more": {{"auth_id": {own}}}}}', f'{{"Auth_Id": {own}}}'),
    ):
        _mute_with(rest, metadata).expect_status(404)


def closes_rooms_with_two_owners(rest: Endpoint) -> None:
    """R5.9 A room whose metadata has auth_id twice has no owner: 404 for every tenant."""
    own, other = json.dumps(rest.tenant.id), json.dumps(rest.stranger.id)
    for first, second in ((own, other), (other, own), (own, own)):
        _mute_with(rest, f'{{"auth_id": {first}, "auth_id": {second}}}').expect_status(404)


def closes_rooms_with_unusable_metadata(rest: Endpoint) -> None:
    """R5.10 A room whose metadata is not JSON has no owner: 404 for every tenant."""
    own = json.dumps(rest.tenant.id)
    for metadata in (f'{{"auth_id": {own}', f"auth_id={own}", f'{{"auth_id": {own}}} x'):
        _mute_with(rest, metadata).expect_status(404)


def compares_ids_exactly(rest: Endpoint) -> None:
    """R5.11 The owner's id is compared character for character: a similar one is another's."""
    own = rest.tenant.id
    for similar in (f"{own} ", f" {own}", f"{own}x", own[:-1], own.swapcase(), f"{own}\u0000"):
        if similar.strip() and similar != own:
            _mute_with(rest, json.dumps({"auth_id": similar})).expect_status(404)


def reads_the_owner_each_time(rest: Endpoint) -> None:
    """R5.12 A change of a room's owner holds from the next request on, in both directions."""
    place = rest.livekit.publish_in(rest.tenant.id)
    rest.mute(place.request())
    rest.livekit.update_metadata(place.room, json.dumps({"auth_id": rest.stranger.id}))
    rest.mute(place.request()).expect_status(404)
    rest.mute(place.request(), tenant=rest.stranger).expect_status(200)


def notices_that_a_room_is_gone(rest: Endpoint) -> None:
    """R5.13 A room that was deleted is answered with 404 from the next request on."""
    place = rest.livekit.publish_in(rest.tenant.id)
    rest.mute(place.request()).require_status(200)
    rest.livekit.delete_room(place.room)
    rest.mute(place.request()).expect_status(404)


def _foreign(rest: Endpoint) -> Answer:
    return rest.mute(rest.livekit.publish_in(rest.stranger.id).request())


def _missing(rest: Endpoint) -> Answer:
    return rest.mute(_deleted(rest).request())


def _deleted(rest: Endpoint) -> Place:
    place = rest.livekit.publish_in(rest.stranger.id)
    rest.livekit.delete_room(place.room)
    return place


def _mute_with(rest: Endpoint, metadata: str) -> Answer:
    """Mute as the tenant in a room with this metadata."""
    place = rest.livekit.publish(rest.livekit.open_room(metadata=metadata))
    answer = rest.mute(place.request())
    return Answer(
        sent=f"{answer.sent}, in a room with the metadata {metadata!r}",
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
    )


def _compared(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = [(name, value) for name, value in answer.headers if name.lower() not in _MASKED]
    return answer.status, sorted(headers), answer.body


def _difference(foreign: Answer, missing: Answer) -> str:
    headers = set(_compared(foreign)[1]) ^ set(_compared(missing)[1])
    return f"{foreign}" + (f", and headers that differ: {sorted(headers)}" if headers else "")
