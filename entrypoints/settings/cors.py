"""The setting of the origins whose pages may call this service."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address

from attrs import frozen

from entrypoints.settings.environment import Setting, SettingGroup

_ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::([0-9]{1,5}))?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_MAX_PORT = 65535

_REMEDIES: Mapping[str, str] = {
    r"": "is empty; remove the comma",
    r"\*": "would be every website; list the origins of your own pages",
    r"null": "is what sandboxed frames and local files of anybody send; serve the page from"
    " an origin of its own",
    r".*\*.*": "has a wildcard, and origins are compared as they are; list each of them",
    r"(?!https?://).*": "must begin with https:// or http://, in lower case",
    r".*[^!-~].*": "must be printable ASCII without spaces: several origins are separated by"
    " commas, and a name with other letters is written as browsers send it (xn--...)",
    r"https?://[^/?#]*[/?#].*": "must end after the host or port: no slash, no path",
    r"https?://.*@.*": "must not have a user",
    r".*[A-Z].*": "must be in lower case, as browsers send it",
}
"""What is said of an entry that is no origin: that of the first pattern which all of it matches."""


@frozen(kw_only=True)
class CorsSettings:
    """The origins whose pages may call this service from a browser, as browsers send them."""

    origins: frozenset[str] = frozenset()


def _origins(value: str) -> frozenset[str]:
    parts = enumerate(value.split(","), 1)
    return frozenset(_origin(part.strip(), place) for place, part in parts)


def _origin(text: str, place: int) -> str:
    for pattern, remedy in _REMEDIES.items():
        if re.fullmatch(pattern, text):
            raise ValueError(f"entry {place}: {remedy}")
    found = _ORIGIN.fullmatch(text)
    if not found or not _is_as_sent(found[2]):
        raise ValueError(
            f"entry {place}: must be an origin as browsers send it, https://app.example.com or"
            " http://[2001:db8::7]:8080, with an address in its shortest form"
        )
    scheme, _, port = found.groups()
    if port == _DEFAULT_PORTS[scheme]:
        raise ValueError(
            f"entry {place}: has the port that {scheme}:// has anyway, which browsers do not send;"
            f" remove :{port}"
        )
    if port and not (port == str(int(port)) and 0 < int(port) <= _MAX_PORT):
        raise ValueError(f"entry {place}: must have a port from 1 to {_MAX_PORT}, or none")
    return text


def _is_as_sent(host: str) -> bool:
    """Return whether a host is a name, or an address as browsers write it."""
    try:
        if host.startswith("["):
            address = IPv6Address(host[1:-1])
            return address.ipv4_mapped is None and str(address) == host[1:-1]
        return not re.fullmatch(r"[0-9]+|0x[0-9a-f]*", host.rpartition(".")[2]) or bool(
            IPv4Address(host)
        )
    except ValueError:
        return False


CORS = SettingGroup(
    CorsSettings,
    {
        "origins": Setting(
            "CORS_ALLOWED_ORIGINS",
            _origins,
            "Origins whose pages may call this service from a browser, separated by commas:"
            " `https://app.example.com, http://localhost:5173`. Each is compared as it is; see"
            " [`docs/api.md`](docs/api.md#from-a-browser). Default: none.",
        ),
    },
)
