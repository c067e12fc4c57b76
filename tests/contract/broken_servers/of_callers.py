"""Servers that take callers for others (R4) or let them into rooms of others (R5)."""

import re
from collections.abc import Callable, Mapping

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


def _line(sent: Sent) -> str:
    return "".join(sent.values("Authorization"))


def _authorized(endpoint: Endpoint, sent: Sent) -> bytes:
    if not sent.is_mute or _line(sent) or "api_key" in sent.path:
        return sent.raw
    return with_head(sent, f"{sent.head}\r\n{endpoint.tenant.bearer}")


def _any_token(endpoint: Endpoint, sent: Sent) -> bytes:
    known = [tenant.bearer for tenant in endpoint.tenants]
    head = re.sub(
        "(?m)^Authorization: Bearer [^ \r\n]+(?=\r?$)",
        lambda found: found[0] if found[0] in known else endpoint.tenant.bearer,
        sent.head,
    )
    return with_head(sent, head) if sent.is_mute else sent.raw


def _any_parameter(endpoint: Endpoint, sent: Sent) -> bytes:
    if sent.values("Authorization") or sent.path.count("api_key") != 1:
        return sent.raw
    token = endpoint.tenant.token
    return with_head(sent, re.sub("api_key=[^ ]+", f"api_key={token}", sent.head, count=1))


def _no_parameter(_: Endpoint, sent: Sent) -> bytes:
    return with_head(sent, re.sub(r"\?api_key=[^ ]+", "", sent.head, count=1))


def _parameter_first(_: Endpoint, sent: Sent) -> bytes:
    if "api_key" not in sent.path:
        return sent.raw
    return with_head(sent, re.sub("\r\nAuthorization: [^\r]+", "", sent.head))


def _lax_spaces(_: Endpoint, sent: Sent) -> bytes:
    return with_head(
        sent, re.sub(r"Authorization: Bearer[ \t]*(?=\S)", "Authorization: Bearer ", sent.head)
    )


def _any_scheme(endpoint: Endpoint, sent: Sent) -> bytes:
    token = re.escape(endpoint.tenant.token)
    pattern = f"Authorization: (Basic |Token )?(?={token})"
    return with_head(sent, re.sub(pattern, "Authorization: Bearer ", sent.head))


def _first_header(_: Endpoint, sent: Sent) -> bytes:
    lines = sent.head.split("\r\n")
    given = [line for line in lines if line.startswith("Authorization:")]
    others = [line for line in lines if line not in given]
    head = "\r\n".join([others[0], *given[:1], *others[1:]])
    return with_head(sent, head) if sent.is_mute else sent.raw


def _first_parameter(_: Endpoint, sent: Sent) -> bytes:
    return with_head(sent, re.sub("(api_key=[^& ]+)&api_key=[^ ]+", r"\1", sent.head))


def _leak(_: Endpoint) -> Change:
    def change(sent: Sent, reply: Reply) -> Reply:
        token = _line(sent).rpartition(" ")[2]
        return reply.having("X-Caller", token) if token and sent.is_mute else reply

    return change


def _challenged(value: str) -> Callable[[Reply], Reply]:
    return lambda reply: reply.having("WWW-Authenticate", value)


CALLERS: Mapping[str, Broken] = {
    "no token is needed": requests("R4.1 R4.3 R4.4", _authorized),
    "any token": requests("R4.2 R4.3 R4.5 R4.8 R4.16 R11.5 R11.6 R11.7", _any_token),
    "no challenge": replies(
        "R4.4 R4.5", coded("UNAUTHORIZED"), lambda reply: reply.without("WWW-Authenticate")
    ),
    "one challenge": replies("R4.5", coded("UNAUTHORIZED"), _challenged("Bearer")),
    "another challenge": replies(
        "R4.4", coded("UNAUTHORIZED"), _challenged('Bearer error="invalid_token"')
    ),
    "no parameter": requests("R4.6 R4.14", _no_parameter),
    "any parameter": requests("R4.7", _any_parameter),
    "the parameter decides": requests("R4.8 R4.9", _parameter_first),
    "the scheme in one case": status_is(
        "R4.10", lambda sent, _: bool(re.match("(?!Bearer)(?i:bearer)", _line(sent))), 401
    ),
    "any space": requests("R4.11", _lax_spaces),
    "any scheme": requests("R4.12", _any_scheme),
    "the first of two headers": requests("R4.13 R4.15 R11.4", _first_header),
    "the first of two parameters": requests("R4.14", _first_parameter),
    "431 for a long token": status_is(
        "R4.16", lambda sent, _: len(_line(sent)) > 4096 and len(_line(sent)) < 4200, 431
    ),
    "a token in a header": Broken(breaks="R4.17", change_reply=_leak),
}
