"""Scenarios with host names and addresses of their own, in namespaces of Linux.

    python -m tests.adapters.http_client.namespaced LOOP SCENARIO

Has to be run by ``IN_NAMESPACES``: it mounts an ``/etc/hosts`` of its own.
"""

import asyncio
import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

import uvloop
from typing_extensions import override

from adapters.http_client.client import HttpClient
from adapters.http_client.connection import Connection
from adapters.http_client.errors import CannotConnectError
from tests.adapters.http_client.raw_servers import OK, Server, ask, keeps, outcome, serve
from tests.support.certificates import Authority
from tests.support.connection_handlers import read_request

IN_NAMESPACES = ("unshare", "--user", "--map-root-user", "--net", "--mount")
V4, V6 = "127.0.0.1", "::1"

Scenario = Callable[[Path], Awaitable[None]]
"""Is given the file of host names."""


def begin_networking() -> None:
    """Bring the loopback interface up."""
    with socket.socket() as any_socket:
        up = struct.pack("16sh14x", b"lo", 1 | 0x40)  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, up)  # SIOCSIFFLAGS


@contextmanager
def names() -> Iterator[Path]:
    """Mount a file as the only source of host names."""
    with tempfile.TemporaryDirectory() as folder:
        hosts, sources = Path(folder, "hosts"), Path(folder, "nsswitch.conf")
        hosts.touch()
        sources.write_text("hosts: files\n")
        for mounted in (hosts, sources):
            subprocess.run(["mount", "--bind", mounted, f"/etc/{mounted.name}"], check=True)
        yield hosts


def put(hosts: Path, *addresses: str, name: str = "upstream.test") -> None:
    hosts.write_text("".join(f"{address} {name}\n" for address in addresses))


@contextmanager
def silent(host: str, port: int) -> Iterator[None]:
    """Let an address answer no attempt to connect: its queue is full."""
    with ExitStack() as stack:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = stack.enter_context(socket.create_server((host, port), family=family, backlog=0))
        while True:
            client = stack.enter_context(socket.socket(family))
            client.settimeout(0.2)
            try:
                client.connect(listener.getsockname())
            except TimeoutError:
                break
        yield


async def answers_from(host: str, hosts: Path, *addresses: str) -> None:
    """Check that a request is answered by a server at one of the addresses."""
    put(hosts, *addresses)
    async with (
        serve(keeps(OK), host=host) as server,
        HttpClient(f"http://upstream.test:{server.port}", 10) as client,
    ):
        assert (await ask(client)).body == b"ok"
        assert server.accepted == 1


async def ipv4_only(hosts: Path) -> None:
    await answers_from(V4, hosts, V4)


async def ipv6_only(hosts: Path) -> None:
    await answers_from(V6, hosts, V6)


async def ipv6_refused(hosts: Path) -> None:
    await answers_from(V4, hosts, V6, V4)


async def ipv4_refused(hosts: Path) -> None:
    await answers_from(V6, hosts, V6, V4)


async def one_silent(hosts: Path, host: str, other: str) -> None:
    put(hosts, V6, V4)
    async with serve(keeps(OK), host=host) as server:
        with silent(other, server.port):
            async with HttpClient(f"http://upstream.test:{server.port}", 1) as client:
                assert (await ask(client)).body == b"ok"
            for turns in range(10):
                await dropped_after(turns, server)


async def dropped_after(turns: int, server: Server) -> None:
    """Drop a request when both families were tried; what tries may not notice."""
    await server.until_open(0)
    requests: list[str] = []

    async def note(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        requests.append(await read_request(reader))
        await reader.read()

    server.handle = note
    async with HttpClient(f"http://upstream.test:{server.port}", 1) as client:
        exchange = client.begin("POST", "/", headers={}, body=b"?", accept=lambda _: 100)
        accepted = server.accepted
        while server.accepted == accepted:  # noqa: ASYNC110 - looks at each turn
            await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        was_sent = isinstance(exchange.carrier, Connection)
        client.drop(exchange)
        await server.until_open(0)
        assert not requests or was_sent
        server.handle = keeps(OK)
        assert (await ask(client)).body == b"ok"


async def ipv6_silent(hosts: Path) -> None:
    await one_silent(hosts, V4, V6)


async def ipv4_silent(hosts: Path) -> None:
    await one_silent(hosts, V6, V4)


async def all_refused(hosts: Path) -> None:
    put(hosts, V6, V4)
    async with serve(keeps(OK)) as server:
        port = server.port
    async with HttpClient(f"http://upstream.test:{port}", 1) as client:
        found = await outcome(client)
        assert isinstance(found, CannotConnectError)
        assert found.reason == f"cannot connect to upstream.test:{port}: connection refused", found


async def unknown_name(_: Path) -> None:
    async with HttpClient("http://upstream.test", 1) as client:
        found = await outcome(client)
        assert isinstance(found, CannotConnectError)
        assert found.reason == "cannot connect to upstream.test:80: the host's name is unknown"


async def moved(hosts: Path) -> None:
    """A new connection goes where the name leads now, also with others kept."""
    put(hosts, "127.0.0.2")
    async with (
        serve(keeps(OK), host="127.0.0.2") as old,
        serve(keeps(OK), host="127.0.0.3", port=old.port) as new,
        HttpClient(f"http://upstream.test:{old.port}", 10) as client,
    ):
        await ask(client)
        put(hosts, "127.0.0.3")
        await ask(client)
        assert (old.accepted, new.accepted) == (1, 0)
        await asyncio.gather(ask(client), ask(client))
        assert (old.accepted, new.accepted) == (1, 1)


def use_name_server(folder: Path) -> None:
    """Have names resolved by a name server on loopback only."""
    Path("/etc/nsswitch.conf").write_text("hosts: dns\n")
    servers = folder / "resolv.conf"
    servers.write_text(f"nameserver {V4}\noptions timeout:30 attempts:1\n")
    subprocess.run(["mount", "--bind", servers, "/etc/resolv.conf"], check=True)


class NameServer(asyncio.DatagramProtocol):
    """Answers that there is no such name, once it may."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.questions: set[bytes] = set()
        self._answers: list[asyncio.Task[None]] = []
        self.was_asked = asyncio.Event()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.questions.add(data)
        self.was_asked.set()
        self._answers.append(asyncio.create_task(self._answer(data, addr)))

    async def _answer(self, question: bytes, addr: tuple[str, int]) -> None:
        await self.may_answer.wait()
        self._transport.sendto(question[:2] + b"\x81\x83" + question[4:], addr)  # NXDOMAIN


async def slow_name_server(hosts: Path) -> None:
    """One look-up is shared by all who connect meanwhile, also where some have gone."""
    use_name_server(hosts.parent)
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=(V4, 53))
    async with HttpClient("http://upstream.test", 20) as client:
        gone = [
            client.begin("POST", "/", headers={}, body=b"?", accept=lambda _: 100)
            for _ in range(10)
        ]
        await server.was_asked.wait()
        for exchange in gone:
            client.drop(exchange)
        waiting = [asyncio.create_task(outcome(client)) for _ in range(20)]
        await asyncio.sleep(0.1)  # or more than one look-up would not show
        server.may_answer.set()
        reasons = {str(each) for each in await asyncio.gather(*waiting)}
        assert reasons == {"cannot connect to upstream.test:80: the host's name is unknown"}
    assert len(server.questions) <= 2, len(server.questions)  # one for each family
    transport.close()
    await asyncio.sleep(0)


async def literal(_: Path) -> None:
    for host, shown in ((V4, V4), (V6, f"[{V6}]")):
        async with (
            serve(keeps(OK), host=host) as server,
            HttpClient(f"http://{shown}:{server.port}", 10) as client,
        ):
            assert client.address == f"{shown}:{server.port}"
            assert (await ask(client)).body == b"ok"


async def name_with_a_dot(hosts: Path) -> None:
    """A certificate is for the name without the dot that ends it."""
    put(hosts, V4, name="upstream.test.")
    authority = Authority(hosts.parent)
    os.environ["SSL_CERT_FILE"] = str(authority.file)
    async with (
        serve(keeps(OK), tls=authority.serve("upstream.test")) as server,
        HttpClient(f"https://upstream.test.:{server.port}", 10) as client,
    ):
        assert (await ask(client)).body == b"ok"


SCENARIOS: tuple[Scenario, ...] = (
    *(ipv4_only, ipv6_only, ipv6_refused, ipv4_refused, ipv6_silent, ipv4_silent),
    *(all_refused, unknown_name, moved, slow_name_server, literal, name_with_a_dot),
)


def main(loop: str, name: str) -> None:
    factory = uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop
    [scenario] = [each for each in SCENARIOS if getattr(each, "__name__", "") == name]
    begin_networking()
    with names() as hosts, asyncio.Runner(loop_factory=factory) as runner:
        runner.run(scenario(hosts))  # type: ignore[arg-type]


if __name__ == "__main__":
    main(*sys.argv[1:])
