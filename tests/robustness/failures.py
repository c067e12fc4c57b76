"""Failures of single cases in a test that runs many."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def recorded(failures: dict[str, str], case: str) -> Iterator[None]:
    """Record a failed assertion under its case, so that the next case still runs."""
    try:
        yield
    except AssertionError as error:
        failures[case] = str(error)
