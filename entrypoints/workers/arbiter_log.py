"""gunicorn's own log: what goes wrong is an event of ours, the rest is left out."""

import sys
from traceback import format_tb

import structlog


class ArbiterLog:
    """What gunicorn asks of its logger."""

    def __init__(self, _: object) -> None:
        self._log = structlog.get_logger()

    def setup(self, _: object) -> None:
        """Do nothing: the log has been configured."""

    def debug(self, *_: object, **__: object) -> None:
        """Leave it out."""

    info = debug

    def warning(self, text: str, *arguments: object, exc_info: bool = False, **_: object) -> None:
        """Log it, and of an exception its type and location; its text may contain anything."""
        problem = text % arguments if arguments else text
        kind, trace = sys.exc_info()[0], sys.exc_info()[2]
        if exc_info and kind:
            stack = format_tb(trace)
            self._log.error("supervisor error", problem=problem, reason=kind.__name__, stack=stack)
        else:
            self._log.warning("supervisor's warning", problem=problem)

    error = critical = exception = warning

    def reopen_files(self) -> None:
        """Do nothing: standard error stays open."""

    close_on_exec = reopen_files
