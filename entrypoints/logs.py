"""The log: structured events, one to a line, on standard error."""

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from traceback import format_tb
from typing import Any, TextIO, cast

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from entrypoints.redaction import redacting


def make_log(
    *, level: str, format_: str | None, secrets: Callable[[], frozenset[str]]
) -> FilteringBoundLogger:
    """Set the process's logging up, the standard library's included, and return its logger.

    ``format_`` is ``json`` or ``console``; where it is not said, a terminal gets ``console``.
    ``secrets`` gives what is not to be written, as it is at the time of each event.
    """
    on_terminal = sys.stderr.isatty()
    renderer: Processor = structlog.processors.JSONRenderer(serializer=_json)
    if format_ == "console" or (format_ is None and on_terminal):
        renderer = structlog.dev.ConsoleRenderer(colors=on_terminal, repr_native_str=True)
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last = redacting(renderer, secrets)
    stream = cast("TextIO", _Unfailing())
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=last, foreign_pre_chain=[*shared, _place_of_exception]
        )
    )
    logging.captureWarnings(capture=True)
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
    log: FilteringBoundLogger = structlog.get_logger().bind()
    return log


class _Unfailing:
    """Standard error, whose end is no reason for the service to end."""

    @staticmethod
    def write(text: str) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)

    @staticmethod
    def flush() -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


def note_fault(
    log: FilteringBoundLogger, _: asyncio.AbstractEventLoop, context: dict[str, Any]
) -> None:
    """Write what the event loop has to complain of; what was at fault may hold anything."""
    error = context.get("exception")
    why = {"reason": type(error).__name__, "stack": format_tb(error.__traceback__)} if error else {}
    log.error(context["message"], **why)


def _json(event: EventDict, **_: object) -> str:
    """Render an event on one line of ASCII, whatever names hold; fast where they are ASCII."""
    with suppress(TypeError):  # a lone surrogate, or an integer of more than 64 bits
        line = orjson.dumps(event, default=repr)
        if line.isascii():
            return line.decode()
    return json.dumps(event, default=repr, separators=(",", ":"))


def _place_of_exception(_: object, __: str, event: EventDict) -> EventDict:
    """Tell what kind of exception came from where; its text may hold anything."""
    kind, _, trace = event.pop("exc_info", None) or (None, None, None)
    if kind is not None:
        event.update(reason=kind.__name__, stack=format_tb(trace))
    return event
