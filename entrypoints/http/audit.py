"""One structured event for each request: the log of the service, and its audit record."""

import re
import secrets
import time
from traceback import format_tb

from aiohttp import web
from attrs import define, field
from structlog.typing import FilteringBoundLogger

from application.ports.authenticator import AuthenticatorError
from application.ports.room_gateway import RoomGatewayError
from domain.caller import Caller, IdentifiedCaller
from domain.room import RoomNotFoundError
from entrypoints.http.errors import ApiError, answer_for
from entrypoints.http.wire import MuteRequest

_MAX_CHARACTERS = 256
_TOKENS_BEHIND = re.compile("[?;]")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


@define(kw_only=True)
class AuditRecord:
    """What is known of a request so far; never its query string, never a token."""

    request_id: str
    _started_s: float = field(init=False, factory=time.perf_counter)
    caller: Caller | None = None
    wish: MuteRequest | None = None
    muted: bool | None = None
    error: Exception | None = None

    @property
    def code(self) -> str:
        """What the caller was told, in a word."""
        return "OK" if self.error is None else answer_for(self.error).code

    @property
    def elapsed_s(self) -> float:
        """How long the request has taken so far."""
        return time.perf_counter() - self._started_s

    def event(self, request: web.BaseRequest, status: int, elapsed_s: float) -> dict[str, object]:
        """Put the record into the words of the log; names are cut at 256 characters."""
        event: dict[str, object] = {
            "request_id": self.request_id,
            "method": _cut(request.method),
            "path": _cut(_TOKENS_BEHIND.split(request.path, maxsplit=1)[0]),
            "status": status,
            "code": self.code,
            "elapsed_ms": round(elapsed_s * 1000, 3),
        }
        if isinstance(self.caller, IdentifiedCaller):
            event["caller_id"] = self.caller.id
        if self.wish is not None:
            event |= {
                "room": _cut(self.wish.room_name),
                "participant": _cut(self.wish.participant_identity),
                "track": _cut(self.wish.track_sid),
                "muted_wanted": self.wish.muted,
                "muted": self.muted,
            }
        return event | self._reason()

    def _reason(self) -> dict[str, object]:
        """The truth behind an error; of an unforeseen one its place but not its text."""
        match self.error and (self.error.__cause__ or self.error):
            case None:
                return {}
            case RoomNotFoundError(reason=reason):
                return {"reason": reason.value}
            case RoomGatewayError(reason=reason) | AuthenticatorError(reason=reason):
                return {"reason": reason}
            case error if self.code == "INTERNAL_ERROR":
                return {"reason": type(error).__name__, "stack": format_tb(error.__traceback__)}
            case ApiError() as error:
                return {"reason": str(error)}
            case _:
                return {}


AUDIT_RECORD = web.RequestKey("audit_record", AuditRecord)


def open_record(request: web.BaseRequest) -> None:
    """Begin the record of a request, under the id that its caller gave it where that is usable."""
    # aiohttp gives a request that its parser refused a plain, empty dictionary of headers.
    given = request.headers.getall("X-Request-ID", []) if request.headers else []
    usable = len(given) == 1 and _REQUEST_ID.fullmatch(given[0])
    request[AUDIT_RECORD] = AuditRecord(request_id=given[0] if usable else secrets.token_hex(16))


def log_record(
    log: FilteringBoundLogger, request: web.BaseRequest, status: int, elapsed_s: float
) -> None:
    """Write a request's event: an error where we failed, a warning where the wish did not hold."""
    record = request[AUDIT_RECORD]
    event = record.event(request, status, elapsed_s)
    record.error = None  # whose traceback holds the request, which holds the record
    if status >= 500:  # noqa: PLR2004 - the class of HTTP status
        log.error("request", **event)
    elif record.wish is not None and record.muted not in (None, record.wish.muted):
        log.warning("request", **event)
    else:
        log.info("request", **event)


def _cut(name: str) -> str:
    return name[:_MAX_CHARACTERS]
