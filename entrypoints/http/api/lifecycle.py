"""What every request gets, whatever it asks for: a context, a response, observers."""

import asyncio
from collections.abc import Callable, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler
from attrs import frozen
from typing_extensions import override

from entrypoints.http.api.context import CONTEXT, Observer, RequestContext, request_id
from entrypoints.http.api.error_responses import error_response, response_to
from entrypoints.http.server.client_address import Network, client_address
from entrypoints.http.server.hooks import RequestHooks


@frozen(kw_only=True)
class RequestLifecycle(RequestHooks):
    """Begins and finishes requests: as a middleware, and for the server as its hooks.

    Under a server that has no such hooks, the middleware begins a request itself.
    """

    request_timeout_s: float
    observers: Sequence[Observer]
    trusted_proxies: Sequence[Network] = ()
    begin_trace: Callable[[web.BaseRequest], str] = lambda _: ""

    @override
    def begin(self, request: web.BaseRequest) -> None:
        now = asyncio.get_running_loop().time()
        request[CONTEXT] = RequestContext(
            request_id=request_id(request),
            deadline=now + self.request_timeout_s,
            client=client_address(request, self.trusted_proxies),
            trace_id=self.begin_trace(request),
        )

    @override
    def reject(self, request: web.BaseRequest, error: Exception) -> web.Response:
        row, context = response_to(error), request[CONTEXT]
        context.error, context.code = error, row.code
        response = error_response(error, row)
        self._finish(request, response)
        asyncio.get_running_loop().call_soon(_release_error, context)  # once it is observed
        return response

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn every exception into an error response, and finish every request."""
        if CONTEXT not in request:
            self.begin(request)
        if (resource := request.match_info.route.resource) is not None:
            request[CONTEXT].route = resource.canonical
        try:
            response = await handler(request)
        except Exception as error:  # noqa: BLE001 - aiohttp's own error responses differ in shape
            return self.reject(request, error)
        self._finish(request, response)
        return response

    def _finish(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        context = request[CONTEXT]
        context.finish(response.status)
        response.headers["X-Request-ID"] = context.request_id
        # In the next turn of the loop, behind the response: events in a row cost half.
        loop = asyncio.get_running_loop()
        for observer in self.observers:
            loop.call_soon(observer, request, context)  # one that raises stops no other


def _release_error(context: RequestContext) -> None:
    """Break a cycle: a traceback refers to its request, which refers to the context."""
    context.error = None
