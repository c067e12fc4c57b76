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
        self._finish(request, context, response)
        return response

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn every exception into an error response, and finish every request."""
        try:
            context = request[CONTEXT]
        except KeyError:
            self.begin(request)
            context = request[CONTEXT]
        if (resource := request.match_info.route.resource) is not None:
            context.route = resource.canonical
        try:
            response = await handler(request)
        except Exception as error:  # noqa: BLE001 - aiohttp's own error responses differ in shape
            return self.reject(request, error)
        self._finish(request, context, response)
        return response

    def _finish(
        self, request: web.BaseRequest, context: RequestContext, response: web.StreamResponse
    ) -> None:
        context.finish(response.status)
        response.headers["X-Request-ID"] = context.request_id
        # In the next turn of the loop, behind the response: events in a row cost half.
        asyncio.get_running_loop().call_soon(self._observe, request, context)

    def _observe(self, request: web.BaseRequest, context: RequestContext) -> None:
        for observer in self.observers:
            try:
                observer(request, context)
            except Exception as error:  # noqa: BLE001 - one that raises stops no other
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "an observer of requests failed", "exception": error}
                )
        context.error = None  # a cycle: its traceback refers to the request, which has the context
