"""Parsers of settings that name a file; a ``ValueError`` never shows the path or the content."""

import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from entrypoints.settings.parsers import without_quotes

T = TypeVar("T")

FileVersions = Mapping[str, tuple[int | None, ...]]
"""For each path what changes when the file is written, replaced, or reached through other links."""

_MAX_FILE_BYTES = 16 * 1024 * 1024
_CONTENT_BEGINS = ("-----BEGIN", "{", "[")


def file(parse: Callable[[bytes], T]) -> Callable[[str], T]:
    """Make a parser of a path from a parser of the file's content."""
    return lambda path: parse(_read(path))


def text_file(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Make a parser of a path from a parser of the file's text, without a newline at its end."""
    return lambda path: parse(without_quotes(_decode(_read(path))))


def versions_of(paths: Iterable[str]) -> FileVersions:
    """Look at the files, following links; none is opened."""
    return {path: _version_of(Path(path)) for path in paths}


def _version_of(path: Path) -> tuple[int | None, ...]:
    try:
        found = path.stat()
    except OSError as error:
        return (error.errno,)
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_mode)


def _read(path: str) -> bytes:
    if path.startswith(_CONTENT_BEGINS) or "\n" in path:
        raise ValueError("must be the path of a file, not its content")
    file = Path(path)
    try:
        if file.is_dir():
            raise ValueError("the file is a directory")
        if not stat.S_ISREG(file.stat().st_mode):
            raise ValueError("the file is not a regular file")  # a pipe may never end
        with file.open("rb") as opened:
            content = opened.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from None
    if len(content) > _MAX_FILE_BYTES:
        raise ValueError("the file is larger than 16 MiB")
    return content


def _decode(content: bytes) -> str:
    try:
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise ValueError("the file begins with a byte order mark (BOM); save it without")
    if not text:
        raise ValueError("the file is empty")
    return text
