"""Opening connections: look-ups of names, Happy Eyeballs over both families, and TLS."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Sequence

from aiohappyeyeballs import AddrInfoType, start_connection
from attrs import define, field
from yarl import URL

_OTHER_FAMILY_AFTER_S = 0.25  # RFC 8305, 8
_WITH_TLS = {"http": False, "ws": False, "https": True, "wss": True}


@define(eq=False)
class Connector:
    """Connects to the host and port of a URL.

    The host is looked up anew each time, except that whoever comes during a look-up shares it:
    few can run at once (four under uvloop), and one that nobody waits for any more still does.
    Certificates are checked against the system's authorities, or those in ``SSL_CERT_FILE``.
    """

    _url: URL = field(repr=False)
    _tls: ssl.SSLContext | None = field(init=False)
    _look_up: asyncio.Task[Sequence[AddrInfoType]] | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        if self._url.scheme not in _WITH_TLS or not self._url.raw_host:
            raise ValueError("a server's URL is http(s):// or ws(s)://, followed by its host")
        self._tls = make_tls() if _WITH_TLS[self._url.scheme] else None

    async def connect(self, protocol: asyncio.Protocol) -> None:
        """Connect a protocol.

        Where one family of addresses does not answer, the other is tried after 0.25 s.

        Raises:
            OSError: it cannot be connected to.
        """
        loop = asyncio.get_running_loop()
        connected = await start_connection(
            await self._addresses(), happy_eyeballs_delay=_OTHER_FAMILY_AFTER_S, loop=loop
        )
        await loop.create_connection(
            lambda: protocol,
            sock=connected,
            ssl=self._tls,
            server_hostname=(self._url.raw_host or "").rstrip(".") if self._tls else None,
        )

    def close(self) -> None:
        """End a look-up that is under way."""
        if self._look_up is not None:
            self._look_up.cancel()

    async def _addresses(self) -> Sequence[AddrInfoType]:
        shared = self._look_up
        if shared is None or shared.done():
            shared = asyncio.create_task(look_up(self._url.raw_host or "", self._url.port or 0))
            shared.add_done_callback(_take_error)
            self._look_up = shared
        await asyncio.wait({shared})  # does not cancel it
        return shared.result()


def _take_error(look_up: asyncio.Task[Sequence[AddrInfoType]]) -> None:
    """Keep asyncio from logging a failure that nobody waits for any more."""
    if not look_up.cancelled():
        look_up.exception()


def make_tls() -> ssl.SSLContext:
    """Make what connections to servers check certificates with."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def look_up(host: str, port: int) -> Sequence[AddrInfoType]:
    """Look up a name; an address is taken as it is, since uvloop's look-up drops its zone."""
    try:
        is_ipv6 = ipaddress.ip_address(host).version == 6  # noqa: PLR2004 - of IP
    except ValueError:
        return await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
    family = socket.AF_INET6 if is_ipv6 else socket.AF_INET
    return [(family, socket.SOCK_STREAM, 0, "", (host, port))]
