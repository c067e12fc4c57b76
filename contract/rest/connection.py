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
from contract.rest.broken import BrokenPromiseError, NotSeenError

_MAX_BODY_BYTES = 1 << 20
_MAX_SILENCES = 6
_IMPATIENT_S = 1.0
_ANSWER = "an answer"
_CONTINUE = "100 Continue"
_CLOSED = "the connection to be closed"


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
    """How long to wait for an answer: little, while a server does not answer at all."""

    answer_timeout_s: float
    _silences: int = field(init=False, default=0)

    @property
    def is_left(self) -> bool:
        """Whether the last requests were not all without an answer."""
        return self._silences < _MAX_SILENCES

    def timeout_s(self, factor: float) -> float:
        """Return how long to wait now."""
        little = min(_IMPATIENT_S, self.answer_timeout_s)
        return self.answer_timeout_s * factor if self.is_left else little

    def restore(self) -> None:
        """Note that the server has answered."""
        self._silences = 0

    def lose(self, *, sent: str, expected: str, received: str) -> Exception:
        """Note that the server was waited for in vain; return how the clause ends."""
        was_left = self.is_left
        self._silences += 1
        if was_left:
            return BrokenPromiseError(sent=sent, expected=expected, received=received)
        why = f"before it, {_MAX_SILENCES} requests in a row had no answer"
        return NotSeenError(f"{received}, and the suite waits no longer: {why}; sent {sent}")


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
        self._patience.restore()
        return Answer(sent=sent, status=response.status, headers=response.getheaders(), body=body)

    def read_continue(self, sent: str) -> None:
        """Read ``100 Continue``; where something else comes, the clause fails."""
        with self._waiting(sent, 1.0, expected=_CONTINUE):
            line = bytes(self._reader.readline(_MAX_BODY_BYTES))
            if b" 100 " not in line:
                received = line.decode(errors="backslashreplace").strip() or "the connection's end"
                raise BrokenPromiseError(sent=sent, expected=_CONTINUE, received=received)
            while self._reader.readline(_MAX_BODY_BYTES).strip():
                pass

    def read_until_closed(self, sent: str, *, patience: float = 1.0) -> bytes:
        """Read all until the server closes the connection; where it does not, the clause fails."""
        with self._waiting(sent, patience, expected=_CLOSED):
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
            what = "nothing more" if expected == _CLOSED else "no answer"
            received = f"{what} within {timeout_s:g} s"
            raise self._patience.lose(sent=sent, expected=expected, received=received) from None
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
        """Connect; where that fails, the clause does, and where nobody listens, it is not run."""
        timeout_s = patience.timeout_s(1.0)
        try:
            connected = self._connect(timeout_s)
        except TimeoutError:
            received = f"no connection within {timeout_s:g} s"
            raise patience.lose(sent=sent, expected=_ANSWER, received=received) from None
        except ConnectionRefusedError as error:
            where = self.url.netloc.rpartition("@")[2]
            why = f"no connection: {error.strerror}"
            raise NotSeenError(f"the server is gone: nobody listens at {where} ({why})") from None
        except OSError as error:
            received = f"no connection: {error.strerror or error}"
            raise BrokenPromiseError(sent=sent, expected=_ANSWER, received=received) from None
        with connected:
            yield Connection(connected, patience)

    def _connect(self, timeout_s: float) -> socket.socket:
        tls = self.url.scheme == "https"
        port = self.url.port or (443 if tls else 80)
        host = self.url.hostname or ""
        connected = socket.create_connection((host, port), timeout_s)
        if not tls:
            return connected
        return ssl.create_default_context().wrap_socket(connected, server_hostname=host)
