"""A server that breaks one promise: a proxy of bytes that changes requests or replies."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from attrs import define, field

from tests.contract.broken_servers.messages import Change, Reply, Sent

_CHUNK = 1 << 18
_INTERIM = 200


def same_request(sent: Sent) -> bytes:
    """Pass a request on as it is."""
    return sent.raw


def same_reply(_: Sent, reply: Reply) -> Reply:
    """Pass a reply on as it is."""
    return reply


@define
class Proxy:
    """A proxy in front of the service, whose changes can be exchanged while it runs."""

    upstream_port: int
    port: int = 0
    request: Callable[[Sent], bytes] = same_request
    reply: Change = same_reply
    holds: bool = False
    """Whether connections stay open that the service closes without an answer."""
    _listener: asyncio.Server = field(init=False)
    errors: list[Exception] = field(factory=list)
    """Of the changes."""
    _serving: set[asyncio.Task[None]] = field(factory=set)
    """Kept, because the event loop refers to its tasks weakly."""

    async def listen(self) -> None:
        """Listen on a free port of loopback."""
        self._listener = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        serving = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    def end(self) -> None:
        """Stop listening, as a server that has ended."""
        self._listener.close()

    async def close(self) -> None:
        """End all connections."""
        for serving in self._serving:
            serving.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        received = bytearray()
        pumping = asyncio.create_task(self._pump(reader, up_writer, received))
        try:
            while await self._answer(up_reader, writer, received):
                pass
        except (OSError, asyncio.IncompleteReadError):
            if self.holds:
                await asyncio.Event().wait()
        except Exception as error:  # noqa: BLE001 - the test is to fail by it
            self.errors.append(error)
        finally:
            pumping.cancel()
            writer.close()
            up_writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, received: bytearray
    ) -> None:
        with suppress(OSError):
            while part := await reader.read(_CHUNK):
                whole = await _complete(part, reader)
                received += whole
                writer.write(self.request(Sent(raw=whole)))
                await writer.drain()
            writer.write_eof()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, received: bytearray
    ) -> bool:
        """Pass one answer on; return whether there may be another."""
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        _, status, reason = first.split(" ", 2)
        sent = Sent(raw=bytes(received))
        is_head = sent.method == "HEAD"
        if int(status) < _INTERIM:
            writer.write(head)
            return True
        received[:] = sent.after_first()
        headers = tuple((name, value) for name, _, value in (s.partition(": ") for s in lines))
        size = next((int(v) for n, v in headers if n.lower() == "content-length"), 0)
        body = b"" if is_head else await reader.readexactly(size)
        reply = Reply(status=int(status), reason=reason, headers=headers, body=body)
        changed = self.reply(sent, reply)
        if isinstance(changed, bytes):
            writer.write(changed)
            return False
        writer.write(changed.as_bytes(is_head=is_head))
        await writer.drain()
        return True


async def _complete(part: bytes, reader: asyncio.StreamReader) -> bytes:
    """Read the rest of a body that is on its way."""
    sizes = Sent(raw=part).values("Content-Length")
    wanted = int(sizes[0]) if len(sizes) == 1 and sizes[0].isdigit() else 0
    with suppress(TimeoutError):
        while wanted > len(Sent(raw=part).body):
            more = await asyncio.wait_for(reader.read(_CHUNK), 0.05)
            if not more:
                break
            part += more
    return part


@contextmanager
def running_proxy(upstream_port: int) -> Iterator[Proxy]:
    """Run a proxy on a free port of loopback, in a thread of its own."""
    started: list[Proxy] = []
    ready, stopping = threading.Event(), threading.Event()

    async def run() -> None:
        proxy = Proxy(upstream_port)
        await proxy.listen()
        started.append(proxy)
        ready.set()
        await asyncio.to_thread(stopping.wait)
        proxy.end()
        await proxy.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    ready.wait()
    try:
        yield started[0]
    finally:
        stopping.set()
        thread.join()
