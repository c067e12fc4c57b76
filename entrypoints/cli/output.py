"""What the command writes: results on standard output, all else on standard error."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice

from entrypoints.cli.errors import CannotWriteError, ReaderGoneError

_ROWS_AT_ONCE = 1000


def write_line(line: str, *, before: str = "") -> None:
    """Write a line to standard output at once; what cannot be shown is escaped.

    Args:
        line: the line.
        before: what is written in front of it as it is, a colour for instance.

    Raises:
        CannotWriteError: it cannot be written; a ``ReaderGoneError`` where nobody reads it.
    """
    encoding = sys.stdout.encoding
    shown = _printable(line).encode(encoding, "backslashreplace").decode(encoding)
    try:
        sys.stdout.write(f"{before}{shown}\n")
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise ReaderGoneError(error.strerror) from None
    except OSError as error:
        raise CannotWriteError(error.strerror) from None


def write_json(members: Mapping[str, object]) -> None:
    """Write a JSON object as one line of ASCII.

    Raises:
        CannotWriteError: it cannot be written.
    """
    write_line(json.dumps(members))


def complain(problem: str) -> None:
    """Write a line to standard error, if that is possible."""
    with suppress(OSError):
        sys.stderr.write(f"livekit-mute: {_printable(problem)}\n")


def aligned(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a line for each row; the last column may hold wide characters.

    Rows are read a thousand at a time. Where later ones are wider, their columns are too.
    """
    rows, widths = iter(rows), [0] * len(titles)
    block = [titles, *islice(rows, _ROWS_AT_ONCE)]
    while block:
        columns = zip(widths, *(map(len, row) for row in block), strict=True)
        widths = [max(column) for column in columns]
        for *cells, last in block:
            padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
            yield "  ".join([*padded, last])
        block = [*islice(rows, _ROWS_AT_ONCE)]


def _printable(text: str) -> str:
    """Escape what is not printable: it could move the cursor, or reverse what follows."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
