"""Requests and answers."""

from collections.abc import Callable, Mapping

from attrs import frozen


@frozen
class Head:
    """An answer's status and headers.

    Names of headers are in lower case; the values of a repeated header are joined with a comma.
    """

    status: int
    headers: Mapping[str, str]

    @property
    def declares_length(self) -> bool:
        """Whether it says where the body ends, so that an incomplete one can be recognized."""
        return "content-length" in self.headers or "transfer-encoding" in self.headers

    @property
    def is_compressed(self) -> bool:
        """Whether the body has a coding, although none is asked for."""
        return self.headers.get("content-encoding", "identity") != "identity"


@frozen
class Answer:
    """A whole answer."""

    head: Head
    body: bytes


Accept = Callable[[Head], int]
"""Judges a head: returns the maximum size of the body in bytes, or raises."""
