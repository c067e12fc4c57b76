"""R9: health, and paths and methods that there are not."""

from contract.rest.endpoint import JSON, MUTE, Endpoint

_UNKNOWN = ("/nowhere", "/livekit/participant", f"{MUTE}/", f"{MUTE}/more", "/livezz")
_WRONG_BEARER = "Authorization: Bearer no-such-token"
_WRONG = (("GET", MUTE), ("PUT", MUTE), ("POST", "/livez"), ("DELETE", "/"), ("POST", "/readyz"))
_REFUSAL = {"http": {"status": 401, "content_type": "text/plain", "body": "invalid API key"}}
_FAILURE = {"twirp": {"code": "unavailable", "msg": "down"}}


def is_alive(rest: Endpoint) -> None:
    """R9.1 GET / and GET /livez are answered with 200 while the server runs."""
    for path in ("/", "/livez"):
        rest.ask("GET", path).expect_status(200)


def tells_that_it_is_alive(rest: Endpoint) -> None:
    """R9.2 The body of / and of /livez is {"status": "OK"}."""
    for path in ("/", "/livez"):
        answer = rest.ask("GET", path)
        answer.expect(answer.members == {"status": "OK"}, '{"status": "OK"}')


def is_ready(rest: Endpoint) -> None:
    """R9.3 GET /readyz is answered with 200 while LiveKit accepts the server's key."""
    rest.ask("GET", "/readyz").expect_status(200)


def tells_that_it_is_ready(rest: Endpoint) -> None:
    """R9.4 The body of a 200 of /readyz is {"status": "READY"}."""
    answer = rest.ask("GET", "/readyz")
    answer.expect(answer.members == {"status": "READY"}, '{"status": "READY"}')


def is_not_ready_without_livekit(rest: Endpoint) -> None:
    """R9.5 GET /readyz is answered with 503 while LiveKit fails or refuses the server's key."""
    for fault in (_REFUSAL, _FAILURE, "hang_up"):
        rest.livekit.reset()
        rest.livekit.fail("*", fault)
        rest.ask("GET", "/readyz").expect_status(503)


def tells_that_it_is_not_ready(rest: Endpoint) -> None:
    """R9.6 The code of a 503 of /readyz is NOT_READY."""
    rest.livekit.fail("*", _REFUSAL)
    rest.ask("GET", "/readyz").expect_code("NOT_READY")


def is_alive_without_livekit(rest: Endpoint) -> None:
    """R9.7 / and /livez are answered with 200 whatever LiveKit does."""
    rest.livekit.fail("*", _FAILURE)
    for path in ("/", "/livez"):
        rest.ask("GET", path).expect_status(200)


def is_ready_again(rest: Endpoint) -> None:
    """R9.8 /readyz is answered with 200 again once LiveKit works again."""
    rest.livekit.fail("*", _FAILURE)
    rest.ask("GET", "/readyz")
    rest.livekit.reset()
    rest.ask("GET", "/readyz").expect_status(200)


def reads_no_token_of_probes(rest: Endpoint) -> None:
    """R9.9 Probes need no token, and one that is sent is not read, whatever it is."""
    for path in ("/", "/livez", "/readyz"):
        rest.ask("GET", path).require_status(200)
        for lines in ((_WRONG_BEARER,), (_WRONG_BEARER, _WRONG_BEARER)):
            rest.ask("GET", path, *lines).expect_status(200)
        rest.ask("GET", f"{path}?api_key=no-such-token&api_key=other").expect_status(200)


def answers_head(rest: Endpoint) -> None:
    """R9.10 HEAD of a probe has the status of GET, and no body."""
    for path in ("/", "/livez", "/readyz"):
        rest.ask("GET", path).require_status(200)
        request = rest.request("HEAD", path, "Connection: close")
        with rest.connect(request) as connection:
            connection.send(request)
            answer = connection.read(rest.show(request), method="HEAD").expect_status(200)
            more = connection.read_until_closed(rest.show(request))
            answer.expect(not more, "no body", f"a body: {more[:80]!r}")


def finds_no_other_path(rest: Endpoint) -> None:
    """R9.11 A path that the document does not list is answered with 404."""
    for path in _UNKNOWN:
        rest.ask("GET", path).expect_status(404)


def tells_the_code_of_paths(rest: Endpoint) -> None:
    """R9.12 The code for an unknown path is NOT_FOUND."""
    for path in _UNKNOWN:
        rest.ask("GET", path).expect_code("NOT_FOUND")


def allows_no_other_method(rest: Endpoint) -> None:
    """R9.13 A method that the path does not support is answered with 405."""
    for method, path in _WRONG:
        rest.ask(method, path, JSON, body=b"{}").expect_status(405)


def tells_the_code_of_methods(rest: Endpoint) -> None:
    """R9.14 The code for a method that the path does not support is METHOD_NOT_ALLOWED."""
    for method, path in _WRONG:
        rest.ask(method, path, JSON, body=b"{}").expect_code("METHOD_NOT_ALLOWED")


def tells_the_allowed_methods(rest: Endpoint) -> None:
    """R9.15 The header Allow of a 405 lists the methods that the path supports."""
    for method, path in _WRONG:
        answer = rest.ask(method, path, JSON, body=b"{}")
        allowed = {name.strip() for value in answer.all("Allow") for name in value.split(",")}
        right = {"POST"} if path == MUTE else {"GET"}
        shown = ", ".join(sorted(allowed)) or "no Allow"
        answer.expect(allowed - {"HEAD", "OPTIONS"} == right, f"Allow: {right.pop()}", shown)
