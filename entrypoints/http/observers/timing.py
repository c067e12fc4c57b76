"""How long requests take, for the metrics."""

from collections.abc import Callable, Mapping

from aiohttp import web

from entrypoints.http.api.context import Observer, RequestContext

_PATHS: Mapping[str, str] = {
    path: path for path in ("/livekit/participant/mute", "/", "/livez", "/readyz", "/metrics")
}
_OTHER = "other"


def timing(observe: Callable[[str, str, float], None]) -> Observer:
    """Make the observer that passes on each request's path, code and seconds.

    The path is one of the API's, or ``other``.
    """

    def observer(request: web.BaseRequest, context: RequestContext) -> None:
        observe(_PATHS.get(request.path, _OTHER), context.code, context.elapsed_s)

    return observer
