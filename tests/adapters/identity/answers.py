"""What an authentication service may answer, by name, and what has to be made of it."""

from collections.abc import Iterator, Mapping

from attrs import frozen

from application.ports.authenticator import (
    AuthenticatorError,
    AuthenticatorUnavailableError,
    AuthenticatorUnusableError,
    CredentialRefusedError,
)
from domain.caller import Caller, IdentifiedCaller, TenantId, UnidentifiedCaller
from tests.adapters.identity import answer_bodies as bodies
from tests.adapters.identity import answer_bytes as wire
from tests.adapters.identity import answer_talks as talks
from tests.adapters.identity.answer_bytes import http
from tests.adapters.identity.authentication_service import Talk

Verdict = Caller | type[AuthenticatorError]

REFUSED = CredentialRefusedError
UNUSABLE = AuthenticatorUnusableError
UNAVAILABLE = AuthenticatorUnavailableError
NOBODY = UnidentifiedCaller()


@frozen(kw_only=True)
class Answer:
    """``lenient`` is the verdict where callers without an id are let in."""

    talk: Talk
    verdict: Verdict
    lenient: Verdict
    is_endless: bool
    """Nothing but the asker's own patience ends it."""


def tenant(id_: str = "tenant-a") -> Caller:
    return IdentifiedCaller(id=TenantId(id_))


def _says(sent: bytes, verdict: Verdict, lenient: Verdict | None = None) -> Answer:
    return _does(talks.says(sent), verdict, lenient)


def _does(
    talk: Talk, verdict: Verdict, lenient: Verdict | None = None, *, is_endless: bool = False
) -> Answer:
    return Answer(talk=talk, verdict=verdict, lenient=lenient or verdict, is_endless=is_endless)


def _in_bodies() -> Iterator[tuple[str, Answer]]:
    for name, id_ in bodies.IDS.items():
        yield f"an id of {name}", _says(http(bodies.named(id_)), tenant(id_))
    for name, id_ in bodies.NOT_IDS.items():
        yield f"an id of {name}", _says(http(bodies.named(id_)), UNUSABLE)
    for name, body in bodies.A_TENANT.items():
        yield f"a tenant: {name}", _says(http(body), tenant())
    for name, body in bodies.NO_TENANT.items():
        yield f"no tenant: {name}", _says(http(body), UNUSABLE)
    for name, body in bodies.NO_WORD.items():
        yield f"no word of one: {name}", _says(http(body), UNUSABLE, NOBODY)


def _on_the_wire() -> Iterator[tuple[str, Answer]]:
    for name, sent in wire.AS_GOOD.items():
        yield f"good {name}", _says(sent, tenant())
    for name, sent in wire.AS_NOTHING.items():
        yield f"nothing {name}", _says(sent, UNUSABLE, NOBODY)
    for name, sent in wire.NOT_AN_ANSWER.items():
        yield f"no answer: {name}", _says(sent, UNUSABLE)
    for name, sent in wire.NO_LENGTH.items():
        yield f"no length, and a coding: {name}", _says(sent, UNUSABLE)
    for status in wire.OTHER_STATUSES:
        sent = http(status=f"{status} s3cret", more=wire.LOCATION)
        yield f"{status} with an id and a place to go", _says(sent, UNUSABLE)
    for name, sent in wire.A_REFUSAL.items():
        yield f"refused: {name}", _says(sent, REFUSED)


def _over_time() -> Iterator[tuple[str, Answer]]:
    for name, talk in talks.SILENT.items():
        yield f"silent: {name}", _does(talk, UNAVAILABLE)
    for name, talk in talks.BROKEN.items():
        yield f"broken: {name}", _does(talk, UNUSABLE)
    for name, talk in talks.WITHOUT_WAITING.items():
        yield f"refused: {name}", _does(talk, REFUSED)
    for name, talk in talks.ENDLESS.items():
        yield f"endless: {name}", _does(talk, UNAVAILABLE, is_endless=True)


_NAMED = [*_in_bodies(), *_on_the_wire(), *_over_time()]
ANSWERS: Mapping[str, Answer] = dict(_NAMED)
assert len(ANSWERS) == len(_NAMED), "two answers have one name"
