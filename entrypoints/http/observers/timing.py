"""How long requests take, for the metrics."""

from collections.abc import Callable, Mapping

from aiohttp import web

from entrypoints.http.api.context import Observer, RequestContext

PATHS = ("/livekit/participant/mute", "/", "/livez", "/readyz", "/metrics")
OTHER = "other"
_LABELS: Mapping[str, str] = {path: path for path in PATHS}


def timing(observe: Callable[[str, str, float], None]) -> Observer:
    """Make the observer that passes on each request's path, code and seconds.

    The path is one of the API's, or ``other``.
    """

    def observer(request: web.BaseRequest, context: RequestContext) -> None:
        observe(_LABELS.get(request.path, OTHER), context.code, context.elapsed_s)

    return observer
