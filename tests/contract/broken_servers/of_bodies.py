"""Servers that read bodies wrongly: their content (R2), or how they are declared (R3)."""

import json
from collections.abc import Callable, Mapping

from contract.rest.endpoint import Endpoint
from tests.contract.broken_servers.broken import (
    Broken,
    lenient,
    replies,
    requests,
    status_is,
    with_head,
)
from tests.contract.broken_servers.messages import Reply, Sent

_TEXTS = ("room_name", "participant_identity", "track_sid")
_LARGE = 16_385


def _is(value: object, *types: type) -> bool:
    return isinstance(value, types)


def _text(sent: Sent) -> str:
    return sent.body.decode(errors="replace")


def _is_json(sent: Sent) -> bool:
    try:
        json.loads(sent.body.decode())
    except UnicodeDecodeError:
        return True  # which is another server's matter
    except RecursionError:
        return True
    except ValueError:
        return sent.body.startswith(b"\xef\xbb\xbf")
    return True


def _is_sized(sent: Sent) -> bool:
    return sent.is_mute and not sent.values("Transfer-Encoding")


def _is_utf8(sent: Sent) -> bool:
    return "\ufffd" not in _text(sent)


def _has_duplicate(sent: Sent) -> bool:
    return _text(sent).count('"muted"') > 1 or _text(sent).count('"a": ') > 1


BODIES: Mapping[str, Broken] = {
    "not JSON": lenient("R2.1", lambda sent: _is_sized(sent) and not _is_json(sent)),
    "not UTF-8": lenient("R2.2", lambda sent: sent.is_mute and not _is_utf8(sent)),
    "byte order marks": lenient("R2.3", lambda sent: sent.body.startswith(b"\xef\xbb\xbf")),
    "arrays": lenient("R2.4", lambda sent: sent.body.startswith(b"[")),
    "missing fields": lenient("R2.5", lambda sent: 0 < len(sent.members) < 4),
    "blank texts": lenient(
        "R2.6", lambda sent: any(not str(sent.members.get(name, "a")).strip() for name in _TEXTS)
    ),
    "numbers for texts": lenient(
        "R2.7", lambda sent: any(_is(sent.members.get(name), int) for name in _TEXTS)
    ),
    "texts for booleans": lenient("R2.8 R11.11", lambda sent: _is(sent.members.get("muted"), str)),
    "duplicate keys": lenient("R2.9", _has_duplicate),
    "NaN": lenient("R2.10", lambda sent: b"NaN" in sent.body or b"Infinity" in sent.body),
    "lone surrogates": lenient("R2.11", lambda sent: b'\\ud83d"' in sent.body),
    "sids of 129 characters": lenient(
        "R2.12", lambda sent: len(str(sent.members.get("track_sid"))) == 129
    ),
    "no sids of 128 characters": status_is(
        "R2.13", lambda sent, _: len(str(sent.members.get("track_sid"))) == 128, 400
    ),
    "deep nesting": lenient("R2.14", lambda sent: b"[[[[" in sent.body),
    "a message without the field": replies(
        "R2.15",
        lambda sent, reply: sent.is_mute and reply.status == 400,
        lambda reply: reply.changed(error="invalid"),
    ),
    "422 for an invalid body": status_is(
        "R2.1 R2.2 R2.3 R2.4 R2.5 R2.6 R2.7 R2.8 R2.9 R2.10 R2.11 R2.12 R2.14 R11.11",
        lambda sent, reply: (
            sent.is_mute
            and reply.status == 400
            and len(sent.values("Authorization")) == 1
            and "api_key=" not in sent.path
            and sent.values("Content-Length") == [str(len(sent.body))]
        ),
        422,
    ),
}


def _kind(sent: Sent) -> str:
    return "".join(sent.values("Content-Type"))


def _size(sent: Sent) -> int:
    return sent.size


def _forgets_expect(_: Endpoint, sent: Sent) -> bytes:
    return with_head(sent, sent.head.replace("Expect: 100-continue", "Expect: other"))


def _unsupported(when: Callable[[Sent], bool]) -> Callable[[Sent, Reply], bool]:
    return lambda sent, reply: reply.status == 415 and when(sent)


DECLARED: Mapping[str, Broken] = {
    "no type": status_is("R3.1", _unsupported(lambda sent: not _kind(sent)), 200),
    "any type": status_is(
        "R3.2 R11.8 R11.9", _unsupported(lambda sent: "text/plain" in _kind(sent)), 200
    ),
    "any charset": status_is("R3.3", _unsupported(lambda sent: "charset" in _kind(sent)), 200),
    "any encoding": status_is(
        "R3.4", _unsupported(lambda sent: bool(sent.values("Content-Encoding"))), 200
    ),
    "no type but application/json": status_is("R3.5", lambda sent, _: "+json" in _kind(sent), 415),
    "400 for a large body": status_is(
        "R3.7 R3.9 R11.10", lambda sent, reply: reply.status == 413 and _size(sent) > 0, 400
    ),
    "400 for large chunks": status_is(
        "R3.8", lambda sent, reply: reply.status == 413 and not _size(sent), 400
    ),
    "large bodies are read": status_is(
        "R3.9", lambda sent, _: _size(sent) == _LARGE and not sent.body, 408
    ),
    "a smaller limit": status_is("R3.10", lambda sent, _: _size(sent) == _LARGE - 1, 413),
    "no chunks": status_is(
        "R3.12",
        lambda sent, reply: (
            sent.is_mute and reply.status == 200 and not sent.values("Content-Length")
        ),
        411,
    ),
    "no continue": requests("R3.13", _forgets_expect),
    "400 for a slow body": status_is("R3.14", lambda _, reply: reply.status == 408, 400),
    "slow headers are awaited": Broken(breaks="R3.16 R9.10 R10.11", holds=True),
}
