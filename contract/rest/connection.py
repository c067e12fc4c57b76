"""Connections to the server under test, on which any bytes can be sent."""

import io
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected
from typing import Any
from urllib.parse import SplitResult, urlsplit

from attrs import define, field
from typing_extensions import override

from contract.rest.answer import Answer
from contract.rest.broken import BrokenPromiseError

_MAX_BODY_BYTES = 1 << 20
_MAX_LOST_S = 60.0
_IMPATIENT_S = 1.0
_ANSWER = "an answer"


class _Incoming(io.RawIOBase):
    """What a socket receives until a deadline."""

    def __init__(self, connected: socket.socket) -> None:
        super().__init__()
        self._socket = connected
        self.deadline = 0.0

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(max(0.001, self.deadline - time.monotonic()))
        return self._socket.recv_into(buffer)


class _KeptReader(io.BufferedReader):
    """Stays open for the next answer; ``HTTPResponse`` closes what it has read."""

    @override
    def close(self) -> None:
        pass

    def makefile(self, _mode: str) -> "_KeptReader":
        return self


@define
class Patience:
    """How long to wait for an answer: little, once a server has been silent for a minute in all."""

    answer_timeout_s: float
    _lost_s: float = field(init=False, default=0.0)

    def timeout_s(self, factor: float) -> float:
        """Return how long to wait now."""
        patient = self._lost_s < _MAX_LOST_S
        return (
            self.answer_timeout_s * factor if patient else min(_IMPATIENT_S, self.answer_timeout_s)
        )

    def lose(self, seconds: float) -> None:
        """Note that a server was waited for in vain."""
        self._lost_s += seconds


@define
class Connection:
    """One connection."""

    _socket: socket.socket
    _patience: Patience
    _incoming: _Incoming = field(init=False)
    _reader: Any = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._incoming = _Incoming(self._socket)
        self._reader = _KeptReader(self._incoming)

    def send(self, request: bytes) -> None:
        """Send bytes; a server that has closed may have answered all the same."""
        self._socket.settimeout(self._patience.timeout_s(1.0))
        with suppress(OSError):
            self._socket.sendall(request)

    def read(self, sent: str, *, method: str = "POST", patience: float = 1.0) -> Answer:
        """Read one answer, past ``100 Continue``; without one, the clause fails."""
        with self._waiting(sent, patience):
            response = HTTPResponse(self._reader, method=method)
            response.begin()
            body = response.read(_MAX_BODY_BYTES)
            missing = response.length if method != "HEAD" else 0
            if missing:
                raise IncompleteRead(body, missing)
            return Answer(
                sent=sent, status=response.status, headers=response.getheaders(), body=body
            )

    def read_line(self, sent: str) -> bytes:
        """Read one line as it is."""
        with self._waiting(sent, 1.0):
            return bytes(self._reader.readline(_MAX_BODY_BYTES))

    def read_until_closed(self, sent: str, *, patience: float = 1.0) -> bytes:
        """Read all until the server closes the connection; where it does not, the clause fails."""
        with self._waiting(sent, patience, expected="the connection to be closed"):
            try:
                return bytes(self._reader.read(_MAX_BODY_BYTES))
            except ConnectionResetError:
                return b""

    @contextmanager
    def _waiting(self, sent: str, patience: float, *, expected: str = _ANSWER) -> Iterator[None]:
        timeout_s = self._patience.timeout_s(patience)
        self._incoming.deadline = time.monotonic() + timeout_s
        try:
            yield
        except TimeoutError:
            self._patience.lose(timeout_s)
            what = "no answer" if expected == _ANSWER else "nothing more"
            received = f"{what} within {timeout_s:g} s"
            raise BrokenPromiseError(sent=sent, expected=expected, received=received) from None
        except (HTTPException, OSError) as error:
            raise BrokenPromiseError(
                sent=sent, expected=expected, received=_what_came(error)
            ) from None


def _what_came(error: Exception) -> str:
    match error:
        case IncompleteRead():
            return f"a part of an answer: the connection ended after {len(error.partial)} bytes"
        case RemoteDisconnected() | ConnectionError():
            return "the server closed the connection before an answer"
        case _:
            return f"what is not an HTTP answer ({type(error).__name__}: {str(error)[:80]!r})"


@define
class Address:
    """Where a server listens."""

    url: SplitResult = field(converter=urlsplit)

    @property
    def host_header(self) -> str:
        """The value of ``Host``."""
        return self.url.netloc.rpartition("@")[2]

    @contextmanager
    def connect(self, patience: Patience, sent: str) -> Iterator[Connection]:
        """Connect; where that fails, the clause does."""
        timeout_s = patience.timeout_s(1.0)
        try:
            connected = self._connect(timeout_s)
        except TimeoutError:
            patience.lose(timeout_s)
            received = f"no connection within {timeout_s:g} s"
        except OSError as error:
            received = f"no connection: {error.strerror or error}"
        else:
            with connected:
                yield Connection(connected, patience)
            return
        raise BrokenPromiseError(sent=sent, expected=_ANSWER, received=received)

    def _connect(self, timeout_s: float) -> socket.socket:
        tls = self.url.scheme == "https"
        port = self.url.port or (443 if tls else 80)
        host = self.url.hostname or ""
        connected = socket.create_connection((host, port), timeout_s)
        if not tls:
            return connected
        return ssl.create_default_context().wrap_socket(connected, server_hostname=host)
