"""What the supervisor and its workers tell each other, over a pair of sockets for each worker.

Every message is short, so that sending it never blocks; what is long lies in memory of its own,
whose descriptor the message carries.
"""

import io
import os
import pickle
import socket
from typing import Any, ClassVar, cast

from attrs import define, field, frozen
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from typing_extensions import override

from entrypoints.settings.files import FileVersions
from entrypoints.settings.settings import Settings

_MAX_BYTES = 64
_PUBLIC = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey)
_PRIVATE = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)


@frozen
class Ready:
    """From a worker: it listens."""


@frozen
class Reopen:
    """To a worker: open the files of logs again."""


@frozen
class Prepare:
    """To a worker: get ready to use these settings."""

    number: int
    settings: Settings = field(repr=False)


@frozen
class Prepared:
    """From a worker: it can use them."""

    number: int


@frozen
class Commit:
    """To a worker: use the settings that it has prepared."""

    number: int


@frozen
class Abort:
    """To a worker: forget the settings that it may have prepared, since they are not used."""


@frozen
class Watch:
    """To a worker: tell when these files change."""

    files: FileVersions


@frozen
class Changed:
    """From the worker that watches: files have changed."""


@frozen
class Report:
    """To a worker: tell its numbers, in answer to this question."""

    question: int


@frozen
class Numbers:
    """From a worker: its numbers, in answer to a question, or to none."""

    packed: bytes = field(repr=False)
    question: int | None = None


@frozen
class Ask:
    """From a worker: its numbers; it wants those of all workers, in answer to this question."""

    packed: bytes = field(repr=False)
    question: int


@frozen
class Totals:
    """To a worker that asked: the numbers of all workers together, in answer to its question."""

    packed: bytes = field(repr=False)
    question: int


Message = (
    Ready
    | Reopen
    | Prepare
    | Prepared
    | Commit
    | Abort
    | Watch
    | Changed
    | Report
    | Numbers
    | Ask
    | Totals
)


@define(eq=False)
class Channel:
    """One end of a pair of sockets."""

    _socket: socket.socket

    @classmethod
    def pair(cls) -> "tuple[Channel, Channel]":
        """Make both ends, neither of which blocks."""
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in ends:
            end.setblocking(False)  # noqa: FBT003 - as in the standard library
        return cls(ends[0]), cls(ends[1])

    def fileno(self) -> int:
        """Return the descriptor, to wait for messages."""
        return self._socket.fileno()

    def send(self, message: Message) -> bool:
        """Send a message; return whether that was possible.

        It is not where the other end is gone, or has not read for a long time.
        """
        memory = os.memfd_create("message")
        try:
            os.write(memory, _dumps(message))
            socket.send_fds(self._socket, [b"m"], [memory])
        except OSError:
            return False
        finally:
            os.close(memory)
        return True

    def receive(self) -> Message | None:
        """Return the next message, or ``None`` if none is there.

        Raises:
            EOFError: the other end is gone.
        """
        try:
            text, files, *_ = socket.recv_fds(self._socket, _MAX_BYTES, 1)
        except BlockingIOError:
            return None
        except OSError as error:
            raise EOFError from error
        if not text:
            raise EOFError
        with os.fdopen(files[0], "rb") as memory:
            memory.seek(0)
            return cast("Message", pickle.load(memory))  # noqa: S301 - from a process of our own

    def close(self) -> None:
        """Close this end."""
        self._socket.close()


def _dumps(message: Message) -> bytes:
    stream = io.BytesIO()
    _Pickler(stream, pickle.HIGHEST_PROTOCOL).dump(message)
    return stream.getvalue()


class _Pickler(pickle.Pickler):
    """Pickles keys too, as DER."""

    _DER: ClassVar = serialization.Encoding.DER

    @override
    def reducer_override(self, obj: object) -> Any:
        if isinstance(obj, _PUBLIC):
            public = serialization.PublicFormat.SubjectPublicKeyInfo
            return _public_key, (obj.public_bytes(self._DER, public),)
        if isinstance(obj, _PRIVATE):
            form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            return _private_key, (obj.private_bytes(self._DER, form, none),)
        return NotImplemented


def _public_key(der: bytes) -> object:
    return serialization.load_der_public_key(der)


def _private_key(der: bytes) -> object:
    return serialization.load_der_private_key(der, password=None)
