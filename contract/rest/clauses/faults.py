"""R7: what LiveKit's faults become."""

from collections.abc import Iterable, Mapping

from contract.rest.answer import Answer
from contract.rest.endpoint import Endpoint

_LISTING, _MUTING = "ListRooms", "MutePublishedTrack"
LIVEKITS_TEXT = "text-of-livekits-own-9d1e"
_NOT_FOUND = 404


def _twirp(code: str) -> Mapping[str, object]:
    return {"twirp": {"code": code, "msg": LIVEKITS_TEXT}}


def _http(
    status: int, content_type: str = "text/plain", body: str = LIVEKITS_TEXT
) -> Mapping[str, object]:
    return {"http": {"status": status, "content_type": content_type, "body": body}}


_FAILURES = (_twirp("internal"), _twirp("unavailable"), _http(502, "text/html"), _http(503))
_REFUSALS = (_twirp("permission_denied"), _twirp("resource_exhausted"), _http(401))
_NONSENSE = (
    _http(200, "text/html", "<html></html>"),
    _http(200, "application/json", "{"),
    _http(200, "application/protobuf", "\x08\x08"),
    _http(200, "application/json", '{"track": {"sid": "TR_other", "muted": true}}'),
    _http(200, "application/protobuf", "\n\x0c\n\x08TR_other \x01"),
)


def fails_with_livekit(rest: Endpoint) -> None:
    """R7.1 If LiveKit fails to mute, the answer is 500."""
    for answer in _answers(rest, _MUTING, _FAILURES):
        answer.expect_status(500)


def tells_that_livekit_is_unavailable(rest: Endpoint) -> None:
    """R7.2 The code for a failure of LiveKit is LIVEKIT_UNAVAILABLE."""
    for answer in _answers(rest, _MUTING, _FAILURES):
        answer.expect_code("LIVEKIT_UNAVAILABLE")


def never_hides_an_outage(rest: Endpoint) -> None:
    """R7.3 If LiveKit fails to look up the room, the answer is 500, never 404."""
    for answer in _answers(rest, _LISTING, (*_FAILURES, "hang_up")):
        answer.expect_status(500)


def tells_the_code_of_lookups(rest: Endpoint) -> None:
    """R7.4 The code for a failed lookup of the room is LIVEKIT_UNAVAILABLE."""
    for answer in _answers(rest, _LISTING, _FAILURES):
        answer.expect_code("LIVEKIT_UNAVAILABLE")


def survives_lost_connections(rest: Endpoint) -> None:
    """R7.5 If LiveKit closes the connection instead of answering a mute, the answer is 500."""
    for answer in _answers(rest, _MUTING, ["hang_up"]):
        answer.expect_status(500)


def bounds_the_time_of_livekit(rest: Endpoint) -> None:
    """R7.6 If LiveKit does not answer, the answer is 500, within a bounded time."""
    for answer in _answers(rest, _MUTING, ["silence"]):
        answer.expect_status(500)


def follows_no_redirect(rest: Endpoint) -> None:
    """R7.7 If LiveKit redirects, the answer is 500."""
    for answer in _answers(rest, _MUTING, [_http(302), _http(307)]):
        answer.expect_status(500)


def believes_no_nonsense(rest: Endpoint) -> None:
    """R7.8 If LiveKit's answer to a mute is invalid, or about another track, the answer is 500."""
    for answer in _answers(rest, _MUTING, _NONSENSE):
        answer.expect_status(500)


def believes_no_contradiction(rest: Endpoint) -> None:
    """R7.9 If LiveKit denies a participant whom it lists, the answer is not 404."""
    for answer in _answers(rest, _MUTING, [_twirp("not_found")]):
        answer.expect(answer.status != _NOT_FOUND, "another status than 404")


def passes_refusals_on(rest: Endpoint) -> None:
    """R7.10 If LiveKit refuses a mute or the server's key, the answer is 500."""
    for answer in _answers(rest, _MUTING, _REFUSALS):
        answer.expect_status(500)


def tells_the_code_of_refusals(rest: Endpoint) -> None:
    """R7.11 The code for a refusal by LiveKit is MUTE_FAILED."""
    for answer in _answers(rest, _MUTING, _REFUSALS):
        answer.expect_code("MUTE_FAILED")


def repeats_no_text(rest: Endpoint) -> None:
    """R7.12 No answer repeats what LiveKit says about its failures and refusals."""
    for answer in _answers(rest, _MUTING, (*_FAILURES, *_REFUSALS)):
        answer.expect(LIVEKITS_TEXT.encode() not in answer.body, "a sentence of the server's own")


def recovers(rest: Endpoint) -> None:
    """R7.13 Once LiveKit works again, so does the server: the retried request gets 200."""
    place = rest.livekit.publish_in(rest.tenant.id)
    rest.livekit.fail("*", "hang_up", times=2)
    rest.mute(place.request())
    rest.livekit.reset()
    rest.mute(rest.livekit.publish_in(rest.tenant.id).request()).expect_status(200)


def _answers(rest: Endpoint, call: str, faults: Iterable[object]) -> Iterable[Answer]:
    """Yield the answer to a mute under each fault of a call of LiveKit's."""
    for fault in faults:
        rest.livekit.reset()
        place = rest.livekit.publish_in(rest.tenant.id)
        rest.livekit.fail(call, fault)
        answer = rest.mute(place.request())
        answer.require(rest.livekit.calls().get(call), f"{call} of LiveKit to be called")
        yield Answer(
            sent=f"{answer.sent}, while {call} of LiveKit answers {fault}",
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
        )
