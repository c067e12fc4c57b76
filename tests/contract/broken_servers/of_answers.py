"""Servers whose answers lack what every answer has (R8), and those with other paths (R9)."""

import re
from collections.abc import Callable, Mapping

from attrs import evolve

from contract.rest.broken import NotArrangedError
from contract.rest.endpoint import Endpoint
from tests.contract.broken_servers.broken import (
    Broken,
    coded,
    replies,
    requests,
    status_is,
    with_head,
)
from tests.contract.broken_servers.messages import Change, Reply, Sent

_PROBES = ("/", "/livez", "/readyz")


def _always(_: Sent, __: Reply) -> bool:
    return True


def _failed(_: Sent, reply: Reply) -> bool:
    return reply.status >= 400


def _ok(_: Sent, reply: Reply) -> bool:
    return reply.status == 200


def _given(sent: Sent) -> str:
    return "".join(sent.values("X-Request-ID"))


def _without(name: str) -> Callable[[Reply], Reply]:
    return lambda reply: reply.without(name)


def _having(name: str, value: str) -> Callable[[Reply], Reply]:
    return lambda reply: reply.having(name, value)


def _repeats_any_id(_: Endpoint) -> Change:
    return lambda sent, reply: reply.having("X-Request-ID", _given(sent)) if _given(sent) else reply


HEADERS: Mapping[str, Broken] = {
    "one more field in errors": replies("R8.1", _failed, lambda reply: reply.changed(detail=1)),
    "errors without charset": replies("R8.2", _failed, _having("Content-Type", "application/json")),
    "a success in plain text": replies("R8.3", _ok, _having("Content-Type", "text/plain")),
    "no X-Request-ID": replies("R8.4 R8.5 R8.6 R8.7", _always, _without("X-Request-ID")),
    "no X-Request-ID with errors": replies("R8.5 R8.7", _failed, _without("X-Request-ID")),
    "its own X-Request-ID": replies(
        "R8.4 R8.5", lambda sent, _: bool(_given(sent)), _having("X-Request-ID", "new")
    ),
    "any X-Request-ID": Broken(breaks="R8.6", change_reply=_repeats_any_id),
    "400 for another X-Request-ID": status_is("R8.6", lambda sent, _: len(_given(sent)) > 128, 400),
    "one X-Request-ID": replies(
        "R8.7", lambda sent, _: not _given(sent), _having("X-Request-ID", "same")
    ),
    "no X-Content-Type-Options": replies("R8.8", _always, _without("X-Content-Type-Options")),
    "answers that may be cached": replies("R8.9", _always, _having("Cache-Control", "no-cache")),
    "a version": replies("R8.10", _always, _having("Server", "server/1.2")),
    "another version": replies("R8.10", _failed, _having("X-Powered-By", "framework 4")),
}


def _at(*paths: str) -> Callable[[Sent, Reply], bool]:
    return lambda sent, reply: sent.path in paths and reply.status == 200


def _needs_livekit(endpoint: Endpoint) -> Change:
    def change(sent: Sent, reply: Reply) -> Reply:
        if sent.path in ("/", "/livez"):
            try:
                endpoint.livekit.call("ListRooms", {"roomList": True}, names=["any"])
            except NotArrangedError:
                return evolve(reply, status=503)
        return reply

    return change


def _never_ready_again(_: Endpoint) -> Change:
    failures: list[Reply] = []

    def change(sent: Sent, reply: Reply) -> Reply:
        if sent.path == "/readyz" and reply.status == 503:
            failures.append(reply)
        return failures[0] if failures and sent.path == "/readyz" else reply

    return change


def _head_has_body(_: Endpoint) -> Change:
    return lambda sent, reply: (
        reply.as_bytes(is_head=True) + b'{"status":"OK"}' if sent.method == "HEAD" else reply
    )


def _folds_paths(_: Endpoint, sent: Sent) -> bytes:
    return with_head(sent, re.sub("mute/(?:more)? HTTP", "mute HTTP", sent.head, count=1))


PATHS: Mapping[str, Broken] = {
    "404 at /": status_is("R9.1 R9.7", _at("/"), 404),
    "another body of /livez": replies(
        "R9.2",
        lambda sent, reply: _ok(sent, reply) and sent.path == "/livez" and bool(reply.body),
        lambda reply: reply.with_members(status="ok"),
    ),
    "never ready": status_is("R9.3 R9.8", _at("/readyz"), 503),
    "another body of /readyz": replies(
        "R9.4",
        lambda sent, reply: _ok(sent, reply) and sent.path == "/readyz" and bool(reply.body),
        lambda reply: reply.with_members(status="OK"),
    ),
    "always ready": status_is("R9.5", coded("NOT_READY"), 200),
    "500 where it is not ready": status_is("R9.5", coded("NOT_READY"), 500),
    "not alive without LiveKit": Broken(breaks="R9.7", change_reply=_needs_livekit),
    "never ready again": Broken(breaks="R9.8", change_reply=_never_ready_again),
    "401 for probes": status_is(
        "R9.9", lambda sent, _: sent.path in _PROBES and bool(sent.values("Authorization")), 401
    ),
    "no HEAD": status_is("R9.10", lambda sent, _: sent.method == "HEAD", 405),
    "HEAD with a body": Broken(breaks="R9.10", change_reply=_head_has_body),
    "400 for unknown paths": status_is("R9.11 R11.2 R11.3", coded("NOT_FOUND"), 400),
    "paths that end otherwise": requests("R9.11 R9.12", _folds_paths),
    "404 for other methods": status_is("R9.13 R11.3", coded("METHOD_NOT_ALLOWED"), 404),
    "no Allow": replies("R9.15", coded("METHOD_NOT_ALLOWED"), _without("Allow")),
    "another Allow": replies("R9.15", coded("METHOD_NOT_ALLOWED"), _having("Allow", "GET, POST")),
}
