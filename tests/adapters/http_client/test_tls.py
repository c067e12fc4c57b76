"""TLS: who is spoken to, and why not."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.http_client.client import HttpClient
from adapters.http_client.errors import CannotConnectError, UnusableBodyError
from adapters.http_client.messages import Answer
from tests.adapters.http_client.raw_servers import (
    NO_LENGTH,
    OK,
    Server,
    ask,
    keeps,
    outcome,
    serve,
    within,
)
from tests.support.certificates import DAY, Authority
from tests.support.connection_handlers import ConnectionHandler, hangs, sends
from tests.support.sockets import will_reset

HOST = "127.0.0.1"


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority whose certificate is in ``SSL_CERT_FILE``."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


@asynccontextmanager
async def over_tls(
    handle: ConnectionHandler, context: ssl.SSLContext, *, host: str = HOST, scheme: str = "https"
) -> AsyncIterator[tuple[HttpClient, Server]]:
    async with (
        serve(handle, tls=context) as server,
        HttpClient(f"{scheme}://{host}:{server.port}", max_connections=1) as client,
    ):
        yield client, server


async def reason_at(
    port: int, scheme: str = "https", host: str = HOST, deadline_s: float = 60
) -> str:
    """Return why it cannot be connected to, and check that this gives the place back."""
    async with HttpClient(f"{scheme}://{host}:{port}", max_connections=1) as client:
        reasons = set()
        for _ in range(2):
            found = await outcome(client, deadline=within(deadline_s))
            assert type(found) is CannotConnectError
            reasons.add(found.reason)
    [reason] = reasons
    return reason.removeprefix(f"cannot connect to {host}:{port}: ")


class TestTls:
    @pytest.mark.parametrize("scheme", ["https", "wss"])
    @pytest.mark.parametrize("host", [HOST, "localhost"])
    async def test_reaches_a_host_with_a_certificate(
        self, authority: Authority, scheme: str, host: str
    ) -> None:
        context = authority.serve(HOST, "localhost")
        async with over_tls(keeps(OK), context, host=host, scheme=scheme) as (client, server):
            for _ in range(3):
                assert (await ask(client)).body == b"ok"
            assert server.accepted == 1

    async def test_names_host_and_protocol(self, authority: Authority) -> None:
        context = authority.serve("localhost")
        context.set_alpn_protocols(["h2", "http/1.1"])
        hosts: list[str | None] = []
        context.sni_callback = lambda _, host, __: hosts.append(host)
        protocols: list[str | None] = []

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            protocols.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
            await keeps(OK)(reader, writer)

        async with over_tls(handle, context, host="localhost") as (client, _):
            await ask(client)
        assert hosts == ["localhost"]
        assert protocols == ["http/1.1"]

    @pytest.mark.parametrize(
        ("hosts", "starts", "own", "reason"),
        [
            (["localhost"], -DAY, False, "is for another address"),
            (["127.0.0.2"], -DAY, False, "is for another address"),
            ([HOST], -3 * DAY, False, "has expired"),
            ([HOST], DAY, False, "is not valid yet"),
            ([HOST], -DAY, True, "is self-signed"),
        ],
    )
    async def test_refuses_a_certificate(
        self, authority: Authority, hosts: list[str], starts: timedelta, own: bool, reason: str
    ) -> None:
        context = authority.serve(*hosts, starts=starts, own=own)
        async with serve(keeps(OK), tls=context) as server:
            assert await reason_at(server.port) == f"the certificate {reason}"
            assert server.accepted == 0

    async def test_refuses_a_certificate_for_another_host(self, authority: Authority) -> None:
        async with serve(keeps(OK), tls=authority.serve(HOST, "localhost.test")) as server:
            found = await reason_at(server.port, host="localhost")
        assert found == "the certificate is for another host"

    @pytest.mark.parametrize("is_set", [True, False])
    async def test_refuses_an_unknown_authority(
        self, authority: Authority, monkeypatch: pytest.MonkeyPatch, is_set: bool
    ) -> None:
        if is_set:
            other = authority.folder / "other"
            other.mkdir()
            monkeypatch.setenv("SSL_CERT_FILE", str(Authority(other).file))
        else:
            monkeypatch.delenv("SSL_CERT_FILE")
        async with serve(keeps(OK), tls=authority.serve(HOST)) as server:
            found = await reason_at(server.port)
        assert found in {
            "the certificate is signed by an unknown authority",
            "the certificate is not accepted",  # an authority of the same name has another key
        }


async def close(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read(1)


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    will_reset(writer)
    writer.transport.abort()


async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await reader.read()


async def alert(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"\x15\x03\x03\x00\x02\x02\x28")  # handshake_failure
    await reader.read()


class TestPortWithoutTls:
    @pytest.mark.parametrize(
        ("handle", "reason"),
        [
            (speak, "the port does not speak TLS, check the scheme of the URL"),
            (alert, "the TLS handshake failed"),
            (close, "connection reset"),
            (reset, "connection reset"),
        ],
        ids=["speaks", "alerts", "closes", "resets"],
    )
    async def test_is_told(self, handle: ConnectionHandler, reason: str) -> None:
        async with serve(handle) as server:
            assert await reason_at(server.port) == reason
            await server.until_open(0)

    async def test_is_told_of_a_port_with_tls(self, authority: Authority) -> None:
        async with over_tls(keeps(OK), authority.serve(HOST), scheme="http") as (client, _):
            found = await outcome(client)
        assert not isinstance(found, Answer)
        assert found.reason == (
            "new connection lost before an answer, the port may expect another protocol"
        )


class TestAnswerOverTls:
    async def test_may_be_large(self, authority: Authority) -> None:
        body = bytes(range(256)) * 4000
        sent = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        async with over_tls(keeps(sent), authority.serve(HOST)) as (client, _):
            for _ in range(3):
                assert (await ask(client)).body == body

    async def test_is_an_error_if_cut_off(self, authority: Authority) -> None:
        async with over_tls(sends(OK[:-1]), authority.serve(HOST)) as (client, _):
            assert type(await outcome(client)) is UnusableBodyError

    async def test_without_a_length_ends_with_the_connection(self, authority: Authority) -> None:
        async with over_tls(sends(NO_LENGTH + b"ok"), authority.serve(HOST)) as (client, _):
            assert (await ask(client)).body == b"ok"

    @pytest.mark.parametrize("turns", range(0, 60, 3))
    async def test_may_be_dropped_at_any_time(self, authority: Authority, turns: int) -> None:
        async with over_tls(hangs(), authority.serve(HOST)) as (client, server):
            asked = asyncio.create_task(ask(client))
            for _ in range(turns):
                await asyncio.sleep(0)
            asked.cancel()
            await asyncio.wait([asked])
            await server.until_open(0)
            server.handle = keeps(OK)
            assert (await ask(client)).body == b"ok"
