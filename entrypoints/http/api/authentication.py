"""Operations that need to know who is calling."""

from collections.abc import Awaitable, Callable, Hashable

from aiohttp import web
from attrs import frozen

from application.ports.authenticator import CredentialRefusedError
from domain.caller import Caller, IdentifiedCaller
from entrypoints.http.api.body import JsonBody
from entrypoints.http.api.context import CONTEXT, RequestContext
from entrypoints.http.api.credentials import HttpPresentedRequest
from entrypoints.http.api.keys import AUTHENTICATOR
from entrypoints.http.server.errors import OverloadedError
from entrypoints.http.server.keys import LIMITS, TRAFFIC


@frozen(kw_only=True)
class AuthenticatedRequest:
    """A request whose caller is known, as an operation gets it."""

    app: web.Application
    body: JsonBody
    caller: Caller
    context: RequestContext


Operation = Callable[[AuthenticatedRequest], Awaitable[web.Response]]


def authenticated(operation: Operation) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Make an aiohttp handler that authenticates the caller and then runs the operation.

    A request that was let in beyond the limit of requests in flight, to see whose it is, is
    rejected unless its tenant has a place. It is as if authentication had never been reached.
    """

    async def handler(request: web.Request) -> web.Response:
        context, app = request[CONTEXT], request.app
        limits, traffic = app[LIMITS], app[TRAFFIC]
        context.reached_authentication = not traffic.is_beyond
        body = JsonBody(request, limits, context.deadline, traffic.end_receiving)
        presented = HttpPresentedRequest(request, body, context.deadline, limits)
        try:
            identity = await app[AUTHENTICATOR].authenticate(presented)
        except OverloadedError:  # while the body was read: it is not counted any more
            raise
        except Exception as error:
            if isinstance(error, CredentialRefusedError):
                context.source, context.credential = error.source, error.credential
            await traffic.belongs_to(None)
            raise
        caller = context.caller = identity.caller
        context.source, context.credential = identity.source, identity.credential
        await traffic.belongs_to(caller.id if isinstance(caller, IdentifiedCaller) else None)
        context.reached_authentication = True
        return await operation(
            AuthenticatedRequest(app=app, body=body, caller=caller, context=context)
        )

    return handler


def key_of(request: web.Request) -> Hashable:
    """Return what stands for a request's tenant before that is known: a digest of the token."""
    return hash(request.headers.get("Authorization") or request.rel_url.raw_query_string)
