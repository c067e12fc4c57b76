"""Responses of an authentication service, by name, and the outcome that each has to have."""

from collections.abc import Iterator, Mapping

from attrs import frozen

from application.ports.authenticator import (
    AuthenticatorError,
    AuthenticatorUnavailableError,
    AuthenticatorUnusableError,
    CredentialRefusedError,
)
from domain.caller import AnonymousCaller, Caller, IdentifiedCaller, TenantId
from tests.adapters.identity.cases import connection_handlers as handlers
from tests.adapters.identity.cases import raw_responses as raw
from tests.adapters.identity.cases import response_bodies as bodies
from tests.adapters.identity.cases.raw_responses import http
from tests.support.connection_handlers import ConnectionHandler, sends

Outcome = Caller | type[AuthenticatorError]

REFUSED = CredentialRefusedError
UNUSABLE = AuthenticatorUnusableError
UNAVAILABLE = AuthenticatorUnavailableError
ANONYMOUS = AnonymousCaller()


@frozen
class Response:
    """``if_no_id_allowed`` is the outcome where callers without an id are accepted."""

    handle: ConnectionHandler
    outcome: Outcome
    if_no_id_allowed: Outcome

    def expected(self, *, allow_no_id: bool) -> Outcome:
        return self.if_no_id_allowed if allow_no_id else self.outcome


def tenant(id_: str = "tenant-a") -> Caller:
    return IdentifiedCaller(id=TenantId(id_))


def _handled(
    handle: ConnectionHandler, outcome: Outcome, if_no_id_allowed: Outcome | None = None
) -> Response:
    return Response(handle, outcome, if_no_id_allowed or outcome)


def _with_bodies() -> Iterator[tuple[str, Response]]:
    for name, id_ in bodies.VALID_IDS.items():
        yield f"an id of {name}", _handled(sends(http(bodies.with_id(id_))), tenant(id_))
    for name, id_ in bodies.INVALID_IDS.items():
        yield f"an id of {name}", _handled(sends(http(bodies.with_id(id_))), UNUSABLE)
    for name, body in bodies.WITH_A_TENANT.items():
        yield f"body with a tenant: {name}", _handled(sends(http(body)), tenant())
    for name, body in bodies.INVALID.items():
        yield f"invalid body: {name}", _handled(sends(http(body)), UNUSABLE)
    for name, body in bodies.WITHOUT_AN_ID.items():
        yield f"body without an id: {name}", _handled(sends(http(body)), UNUSABLE, ANONYMOUS)


def _raw() -> Iterator[tuple[str, Response]]:
    for name, sent in raw.VALID.items():
        yield f"valid {name}", _handled(sends(sent), tenant())
    for name, sent in raw.EMPTY.items():
        yield f"empty {name}", _handled(sends(sent), UNUSABLE, ANONYMOUS)
    for name, sent in raw.INVALID.items():
        yield f"invalid: {name}", _handled(sends(sent), UNUSABLE)
    for name, sent in raw.UNKNOWN_LENGTH.items():
        yield f"unknown length, transfer coding: {name}", _handled(sends(sent), UNUSABLE)
    for status in raw.OTHER_STATUSES:
        sent = http(status=f"{status} s3cret", more=raw.LOCATION)
        yield f"{status} with an id and a location", _handled(sends(sent), UNUSABLE)
    for name, sent in raw.REFUSALS.items():
        yield f"refusal: {name}", _handled(sends(sent), REFUSED)


def _connections() -> Iterator[tuple[str, Response]]:
    for name, handle in handlers.NO_RESPONSE.items():
        yield f"no response: {name}", _handled(handle, UNAVAILABLE)
    for name, handle in handlers.BROKEN_OFF.items():
        yield f"broken off: {name}", _handled(handle, UNUSABLE)
    for name, handle in handlers.ENDLESS_REFUSALS.items():
        yield f"refusal: {name}", _handled(handle, REFUSED)


def _without_duplicates(pairs: list[tuple[str, Response]]) -> Mapping[str, Response]:
    assert len(dict(pairs)) == len(pairs), "two responses have one name"
    return dict(pairs)


RESPONSES = _without_duplicates([*_with_bodies(), *_raw(), *_connections()])
ENDLESS = {name: _handled(handle, UNAVAILABLE) for name, handle in handlers.ENDLESS.items()}
"""Responses that only the client's timeout ends."""
