"""What is known of one request; handlers fill it in, observers read it."""

import os
import re
import time
from collections.abc import Callable

from aiohttp import web
from attrs import define, field

from domain.caller import Caller

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


@define(kw_only=True, eq=False)
class RequestContext:
    """One request from its arrival to its response; holds no token and no query string.

    Attributes:
        request_id: the client's ``X-Request-ID`` where it is usable, else a random one.
        deadline: when the response is due, on the event loop's clock.
        reached_authentication: whether the request is one for the audit trail.
        caller: who is calling, once authenticated.
        client: the IP address of the client, where the transport has one.
        source: the source of identity that knows the caller, or has refused the token.
        credential: which credential it was, by a name that is no secret.
        route: the path of the route that was found; ours hold no parameters.
        trace_id: the id of the trace that the request belongs to, in hexadecimal digits.
        details: what the operation acts on and what became of it, by name.
        deviates: whether the outcome differs from what the caller asked for.
        routine: whether it is a health check with an expected outcome, or a file of the page, of
            interest to few.
        error: why the request failed; observers alone may read its reason.
        code: ``OK``, or the code of the error that the caller gets.
        status: the HTTP status of the response, once there is one.
        elapsed_s: from arrival to response, in seconds, once there is one.
    """

    request_id: str
    deadline: float
    reached_authentication: bool = False
    caller: Caller | None = None
    client: str = ""
    source: str = ""
    credential: str = ""
    route: str = ""
    trace_id: str = ""
    details: dict[str, object] = field(factory=dict)
    deviates: bool = False
    routine: bool = False
    error: Exception | None = None
    code: str = "OK"
    status: int = 0
    elapsed_s: float = 0.0
    _started_s: float = field(init=False, factory=time.perf_counter)

    def finish(self, status: int) -> None:
        """Note that the response is ready."""
        self.status = status
        self.elapsed_s = time.perf_counter() - self._started_s


CONTEXT = web.RequestKey("context", RequestContext)

Observer = Callable[[web.BaseRequest, RequestContext], None]
"""Called once for every request, when its response is ready; must not block or change anything."""


def request_id(request: web.BaseRequest) -> str:
    """Take the client's ``X-Request-ID`` where there is one that is usable, else make one."""
    # aiohttp gives a request that its parser rejects a plain, empty dictionary of headers.
    given = request.headers.getall("X-Request-ID", []) if request.headers else []
    if len(given) == 1 and _REQUEST_ID.fullmatch(given[0]):
        return given[0]
    return os.urandom(16).hex()
