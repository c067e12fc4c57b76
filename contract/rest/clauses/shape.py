"""R8: what every answer has, whatever it answers."""

import re
import uuid
from collections.abc import Iterator

from contract.rest.answer import Answer
from contract.rest.endpoint import JSON, MUTE, Endpoint

_FAILED = 400
_TOO_LARGE = 16_385
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,128}")


def shapes_errors(rest: Endpoint) -> None:
    """R8.1 The body of an error is a JSON object with the strings error and code only."""
    for answer in _errors(rest):
        answer.require(answer.status >= _FAILED, "an error")
        members = answer.members
        answer.expect(members.keys() == {"error", "code"}, "the fields error and code")
        answer.expect(all(isinstance(v, str) and v for v in members.values()), "two texts")


def declares_errors(rest: Endpoint) -> None:
    """R8.2 The Content-Type of an error is application/json; charset=utf-8."""
    for answer in _errors(rest):
        answer.require(answer.status >= _FAILED, "an error")
        answer.expect_header("Content-Type", "application/json; charset=utf-8")


def declares_successes(rest: Endpoint) -> None:
    """R8.3 The Content-Type of a success is application/json, in UTF-8."""
    for answer in _successes(rest):
        answer.require(answer.status < _FAILED, "a success")
        found = "".join(answer.all("Content-Type")).replace(" ", "").lower()
        json = ("application/json", "application/json;charset=utf-8")
        answer.expect(found in json, f"Content-Type: {json[0]}", f"Content-Type: {found}")


def repeats_request_ids(rest: Endpoint) -> None:
    """R8.4 An X-Request-ID of 1 to 128 letters, digits, ".", "_" and "-" comes back."""
    for text in ("a", f"Az09._-{uuid.uuid4()}", "x" * 128):
        answer = rest.ask("GET", "/livez", f"X-Request-ID: {text}")
        answer.expect_header("X-Request-ID", text)


def repeats_request_ids_with_errors(rest: Endpoint) -> None:
    """R8.5 It comes back with errors, too."""
    text = str(uuid.uuid4())
    rest.post(b"{", f"X-Request-ID: {text}").expect_header("X-Request-ID", text)
    rest.ask("GET", "/nowhere", f"X-Request-ID: {text}").expect_header("X-Request-ID", text)


def replaces_request_ids(rest: Endpoint) -> None:
    """R8.6 Any other X-Request-ID is replaced by a new one, and the request is served."""
    usual = rest.ask("GET", "/livez").status
    for line in ("a b", "x" * 129, "a;b", "a\xe9", "<a>"):
        answer = rest.ask("GET", "/livez", f"X-Request-ID: {line}").expect_status(usual)
        found = answer.all("X-Request-ID")
        new = len(found) == 1 and _ACCEPTABLE.fullmatch(found[0])
        answer.expect(new, "a new X-Request-ID", f"X-Request-ID: {found}")


def makes_request_ids(rest: Endpoint) -> None:
    """R8.7 An answer to a request without X-Request-ID has a new one, different each time."""
    answers = [rest.ask("GET", "/livez"), rest.ask("GET", "/livez"), *_errors(rest)]
    ids = [value for answer in answers for value in answer.all("X-Request-ID")]
    for answer in answers:
        found = answer.all("X-Request-ID")
        is_one = len(found) == 1 and _ACCEPTABLE.fullmatch(found[0])
        answer.expect(is_one, "an X-Request-ID", f"X-Request-ID: {found}")
    answers[0].expect(len(set(ids)) == len(ids), "ids that differ", f"the ids {ids}")


def forbids_guesses(rest: Endpoint) -> None:
    """R8.8 Every answer has X-Content-Type-Options: nosniff."""
    for answer in (*_successes(rest), *_errors(rest)):
        answer.expect_header("X-Content-Type-Options", "nosniff")


def forbids_caching(rest: Endpoint) -> None:
    """R8.9 Every answer has Cache-Control: no-store."""
    for answer in (*_successes(rest), *_errors(rest)):
        answer.expect_header("Cache-Control", "no-store")


def hides_its_version(rest: Endpoint) -> None:
    """R8.10 No answer has a header Server or X-Powered-By that tells a version."""
    for answer in (*_successes(rest), *_errors(rest)):
        for name in ("Server", "X-Powered-By"):
            told = [value for value in answer.all(name) if re.search(r"\d", value)]
            answer.expect(not told, "no version of the server", f"{name}: {told}")


def _successes(rest: Endpoint) -> Iterator[Answer]:
    yield rest.mute(rest.livekit.publish_in(rest.tenant.id).request())
    yield rest.ask("GET", "/livez")
    yield rest.ask("GET", "/readyz")


def _errors(rest: Endpoint) -> Iterator[Answer]:
    """Yield errors of every kind: of the mute, of its path, of HTTP itself, of LiveKit."""
    place = rest.livekit.publish_in(rest.tenant.id)
    yield rest.post(b"{")
    yield rest.post(b"{}", kind="Content-Type: text/plain")
    yield rest.post(b" " * _TOO_LARGE)
    yield rest.mute(place.request(room_name="none"))
    yield rest.ask("POST", MUTE, JSON, body=b"{}")
    yield rest.ask("GET", "/nowhere")
    yield rest.ask("DELETE", "/livez")
    yield rest.send(b"GET /livez HTTP/1.1\r\nNo colon\r\n\r\n")
    rest.livekit.fail("*", {"twirp": {"code": "unavailable"}})
    yield rest.mute(place.request())
    yield rest.ask("GET", "/readyz")
