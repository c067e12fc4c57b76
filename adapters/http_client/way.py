"""What lies on the way to a server, a step at a time, for whoever looks for what is wrong there."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence

from yarl import URL

from adapters.http_client.causes import cause_of
from adapters.http_client.connect import look_up, make_tls
from adapters.http_client.errors import NO_ANSWER_IN_TIME, CannotConnectError


async def addresses_of(url: URL, *, timeout_s: float) -> Sequence[str]:
    """Look up the addresses of a URL's host.

    Raises:
        CannotConnectError: it has none; the reason says why.
    """
    try:
        async with asyncio.timeout(timeout_s):
            found = await look_up(url.raw_host or "", url.port or 0)
    except (OSError, UnicodeError) as error:
        raise CannotConnectError(_cause(error)) from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def closed_addresses(
    url: URL, addresses: Sequence[str], *, timeout_s: float
) -> Mapping[str, str]:
    """Connect to a URL's port at all of these addresses at once, and say why those fail that do."""
    causes = await asyncio.gather(*[_knock(each, url.port or 0, timeout_s) for each in addresses])
    return {address: cause for address, cause in zip(addresses, causes, strict=True) if cause}


async def certificate_of(url: URL, *, trusted: bool, timeout_s: float) -> bytes:
    """Return the certificate of a URL's server in DER, one that need not be valid if not trusted.

    Raises:
        CannotConnectError: there is none, or none that can be trusted; the reason says why.
    """
    context = make_tls()
    if not trusted:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host = url.raw_host or ""
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(
                host, url.port, ssl=context, server_hostname=host.rstrip(".")
            )
    except OSError as error:
        raise CannotConnectError(_cause(error)) from None
    der: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return der


async def _knock(address: str, port: int, timeout_s: float) -> str:
    """Return why an address cannot be connected to, empty if it can."""
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(address, port)
    except OSError as error:
        return _cause(error)
    writer.transport.abort()
    return ""


def _cause(error: Exception) -> str:
    return NO_ANSWER_IN_TIME if isinstance(error, TimeoutError) else cause_of(error)
