"""Whether spans are made, as OpenTelemetry's standard variables say."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiohttp import web
from attrs import frozen

from adapters.http_client.telemetry import TelemetryOf, no_telemetry
from entrypoints.http.api.context import Observer
from entrypoints.tracing.pass_on import accept_trace

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HTTP = "http/protobuf"


_NOT_INSTALLED = (
    "OpenTelemetry is not installed, no spans are made: pip install 'livekit-mute[otel]',"
    " or set OTEL_SDK_DISABLED=true"
)


class TracingProblemError(Exception):
    """There are to be spans, and there can be none; the text says why, and what to do."""


async def _nothing() -> None:
    """Do nothing."""


@frozen(kw_only=True)
class Tracing:
    """What the service does about traces.

    Attributes:
        begin: lets the current task belong to the trace of a request, and returns its id.
        telemetry: makes spans of the calls of a server, by its name.
        observers: of requests.
        problems: why there are no spans where there were to be some.
        close: sends the spans that are left, for 2 s at most.
    """

    begin: Callable[[web.BaseRequest], str] = accept_trace
    telemetry: TelemetryOf = no_telemetry
    observers: Sequence[Observer] = ()
    problems: Sequence[str] = ()
    close: Callable[[], Awaitable[None]] = _nothing


def makes_spans(variables: Mapping[str, str]) -> bool:
    """Return whether there are to be spans.

    Raises:
        TracingProblemError: there are, in a way that is not supported.
    """
    if variables.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = variables.get("OTEL_TRACES_EXPORTER", "").strip()
    if exporter == "none" or not (exporter or _first(_ENDPOINTS, variables)):
        return False
    if exporter not in ("", "otlp"):
        raise TracingProblemError(
            "OTEL_TRACES_EXPORTER can only be otlp or none: no spans are made"
        )
    if _first(_PROTOCOLS, variables) not in ("", _HTTP):
        raise TracingProblemError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL can only be {_HTTP}, to port 4318 by default:"
            " no spans are made"
        )
    return True


def _first(names: Sequence[str], variables: Mapping[str, str]) -> str:
    return next((value for name in names if (value := variables.get(name, "").strip())), "")


def make_tracing(variables: Mapping[str, str], *, urls: Mapping[str, str], version: str) -> Tracing:
    """Make what the service does about traces.

    Args:
        variables: those of the environment, of which OpenTelemetry's SDK reads more itself.
        urls: those of our servers, by the servers' names.
        version: the service's.
    """
    try:
        if not makes_spans(variables):
            return Tracing()
        from entrypoints.tracing.otel.spans import make_spans  # noqa: PLC0415 - an extra

        spans = make_spans(urls=urls, version=version)
    except TracingProblemError as problem:
        return Tracing(problems=[str(problem)])
    except ImportError:
        return Tracing(problems=[_NOT_INSTALLED])
    except (ValueError, RuntimeError) as error:  # its SDK does not accept the variables
        return Tracing(problems=[f"OpenTelemetry cannot be set up, no spans are made: {error}"])
    return Tracing(
        begin=spans.requests.begin,
        telemetry=spans.telemetry,
        observers=[spans.requests.observe],
        close=spans.close,
    )
