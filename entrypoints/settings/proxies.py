"""The setting of trusted proxies."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from attrs import frozen

from entrypoints.settings.environment import Setting, SettingGroup

_Network = IPv4Network | IPv6Network

_WITHOUT_EFFECT = re.compile(r"::ffff:\d+\.|.*%", re.IGNORECASE)
"""IPv4 in IPv6 and addresses with a scope: clients' addresses are compared without either."""


@frozen(kw_only=True)
class ProxySettings:
    """The proxies whose headers tell the client's address."""

    trusted: tuple[_Network, ...] = ()


def _networks(value: str) -> tuple[_Network, ...]:
    return tuple(_network(part.strip(), place) for place, part in enumerate(value.split(","), 1))


def _network(text: str, place: int) -> _Network:
    try:
        found = None if _WITHOUT_EFFECT.match(text) else ip_network(text, strict=False)
    except ValueError:
        found = None
    if found is None:
        raise ValueError(
            f"must be IP addresses and networks like 10.0.0.0/8; entry {place} is neither"
        )
    if ip_address(text.partition("/")[0]) != found.network_address:
        raise ValueError(f"entry {place}: must begin with the first address of its network")
    if found.prefixlen == 0:
        raise ValueError(f"entry {place}: is every address, so any client could choose its own")
    return found


PROXIES = SettingGroup(
    ProxySettings,
    {
        "trusted": Setting(
            "TRUSTED_PROXIES",
            _networks,
            "Addresses and networks of the proxies in front of this service, separated by commas:"
            " `10.0.0.0/8, 2001:db8::7`. Only their `Forwarded` and `X-Forwarded-For` tell a"
            " client's address, see [`docs/log.md`](docs/log.md#the-clients-address).",
        ),
    },
)
