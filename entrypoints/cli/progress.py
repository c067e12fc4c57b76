"""How far a command is, for a person who waits."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Self

from attrs import define, field


@define
class Progress:
    """Counts several tracks in the last line of a terminal; shows nothing elsewhere.

    SIGINT and SIGTERM remove the line before they end the process.
    """

    total: int
    _done: int = field(init=False, default=0)
    _shown: bool = field(init=False)

    @_shown.default
    def _is_worth_showing(self) -> bool:
        return self.total > 1 and sys.stderr.isatty()

    def __enter__(self) -> Self:
        if self._shown:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._hide_before(number)
        self._draw(self._text())
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._hide()

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count one more track, whose result is written while this is entered."""
        self._hide()
        yield
        self._done += 1
        self._draw(self._text())

    def _hide_before(self, number: signal.Signals) -> None:
        end = signal.getsignal(number)
        if not callable(end):
            return

        def hide_and_end(number: int, frame: FrameType | None) -> None:
            self._hide()
            end(number, frame)

        signal.signal(number, hide_and_end)

    def _hide(self) -> None:
        blank = " " * len(self._text())
        self._draw(f"\r{blank}\r")

    def _text(self) -> str:
        return f"{self._done} of {self.total} tracks"

    def _draw(self, text: str) -> None:
        if self._shown:
            with suppress(OSError):
                os.write(2, text.encode())  # a buffer might be in use when a signal comes
