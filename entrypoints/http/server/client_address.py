"""The address of a request's client: the peer's, or what trusted proxies say of it.

A header is read from its end, where each proxy appends what it has seen: whatever stands in front
of what a trusted proxy appended may be the client's own invention.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import web

Network = IPv4Network | IPv6Network
_Address = IPv4Address | IPv6Address

_MAX_HOPS = 16
_WORD = r"[!#$%&'*+.^_`|~\w-]+"
_PAIR = rf'({_WORD})=({_WORD}|"(?:[^"\\]|\\.)*")'
_ELEMENT = re.compile(rf"{_PAIR}(?:[ \t]*;[ \t]*{_PAIR})*", re.ASCII)  # RFC 7239, 4
_PAIRS = re.compile(_PAIR, re.ASCII)
_NODE = re.compile(
    r"(?:\[([\dA-Fa-f:.]+)\]|([\d.]+))(?::\d{1,5})?|([\dA-Fa-f:.]+)", re.ASCII
)  # RFC 7239, 6; and IPv6 without brackets, which X-Forwarded-For has


def client_address(request: web.BaseRequest, trusted: Sequence[Network]) -> str:
    """Return the client's IP address, empty if the transport has none.

    While an address is in one of the networks, it is a trusted proxy's, and the header has the
    address that this proxy saw. Whatever is not an address (``unknown``, an obfuscated or a
    malformed one) ends the search at the last address before it. ``Forwarded`` is read only where
    there is no ``X-Forwarded-For``, which nearly all proxies write: a proxy that writes only one
    passes on the other as the client sent it.
    """
    remote = _canonical(request.remote or "")
    peer = _address(remote) if trusted else None
    if peer is None:
        return remote
    for name, read in _READERS.items():
        if name in request.headers:
            return str(_first_untrusted(peer, map(read, _from_the_end(request, name)), trusted))
    return str(peer)


def _first_untrusted(
    address: _Address, before: Iterable[_Address | None], trusted: Sequence[Network]
) -> _Address:
    for found in before:
        if found is None or not any(address in network for network in trusted):
            break
        address = found
    return address


def _from_the_end(request: web.BaseRequest, name: str) -> Iterator[str]:
    """Yield the last elements of a list, at most 16; one with a comma in quotes ends malformed."""
    elements = ",".join(request.headers.getall(name)).rsplit(",", _MAX_HOPS)[-_MAX_HOPS:]
    return (element.strip(" \t") for element in reversed(elements))


def _forwarded_for(element: str) -> _Address | None:
    """Read the ``for`` of an element; quotation marks that do not match make it malformed."""
    pairs = _PAIRS.findall(element) if _ELEMENT.fullmatch(element) else []
    nodes = [value for name, value in pairs if name.lower() == "for"]
    return _node_address(nodes[0].strip('"')) if len(nodes) == 1 else None


def _node_address(node: str) -> _Address | None:
    match = _NODE.fullmatch(node)
    return _address(match[1] or match[2] or match[3]) if match else None


def _address(text: str) -> _Address | None:
    """Parse an address; IPv4 mapped into IPv6 becomes IPv4 again."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


@lru_cache(maxsize=1024)  # of peers, which keep their connections
def _canonical(remote: str) -> str:
    return str(_address(remote.partition("%")[0]) or "")  # without a link-local address's scope


_READERS: Mapping[str, Callable[[str], _Address | None]] = {
    "X-Forwarded-For": _node_address,
    "Forwarded": _forwarded_for,
}
"""In the order in which they are looked for; the first one that a request has is read."""
