"""Operations that need to know who is calling."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from attrs import frozen

from domain.caller import Caller
from entrypoints.http.api.body import JsonBody
from entrypoints.http.api.context import CONTEXT, RequestContext
from entrypoints.http.api.credentials import HttpPresentedRequest
from entrypoints.http.api.keys import AUTHENTICATOR
from entrypoints.http.server.keys import LIMITS


@frozen(kw_only=True)
class AuthenticatedRequest:
    """A request whose caller is known, as an operation gets it."""

    request: web.Request
    body: JsonBody
    caller: Caller
    context: RequestContext


Operation = Callable[[AuthenticatedRequest], Awaitable[web.Response]]


def authenticated(operation: Operation) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Make an aiohttp handler that authenticates the caller and then runs the operation."""

    async def handler(request: web.Request) -> web.Response:
        context, limits = request[CONTEXT], request.app[LIMITS]
        context.reached_authentication = True
        body = JsonBody(request, limits, context.deadline)
        presented = HttpPresentedRequest(request, body, context.deadline, limits)
        identity = await request.app[AUTHENTICATOR].authenticate(presented)
        caller = context.caller = identity.caller
        context.source, context.credential = identity.source, identity.credential
        return await operation(
            AuthenticatedRequest(request=request, body=body, caller=caller, context=context)
        )

    return handler
