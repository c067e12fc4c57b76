from collections.abc import Sequence
from ipaddress import ip_network

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from entrypoints.http.server.client_address import Network, client_address
from tests.entrypoints.http.conftest import Serve

PROXIES = [ip_network(each) for each in ("10.0.0.0/8", "127.0.0.1", "2001:db8::/32")]
PEER = "10.0.0.1"
CLIENT = "203.0.113.7"
FORWARDED, X_FORWARDED_FOR = "Forwarded", "X-Forwarded-For"


def address(
    *headers: tuple[str, str], peer: str | None = PEER, trusted: Sequence[Network] = PROXIES
) -> str:
    request = make_mocked_request("GET", "/", headers=CIMultiDict(headers))
    return client_address(request.clone(remote=peer or ""), trusted)


class TestPeer:
    @pytest.mark.parametrize(
        ("peer", "found"),
        [
            (CLIENT, CLIENT),
            ("2001:DB8::0007", "2001:db8::7"),
            ("::ffff:203.0.113.7", CLIENT),
            ("::ffff:0:203.0.113.7", "::ffff:0:cb00:7107"),
            ("fe80::1%eth0", "fe80::1"),
            ("", ""),
            ("/run/proxy.sock", ""),
        ],
    )
    @pytest.mark.parametrize("trusted", [[], PROXIES])
    def test_is_the_client_without_a_header(
        self, peer: str, found: str, trusted: Sequence[Network]
    ) -> None:
        assert address(peer=peer, trusted=trusted) == found

    @pytest.mark.parametrize(
        ("peer", "trusted"),
        [(PEER, []), (CLIENT, PROXIES), ("::ffff:203.0.113.7", PROXIES), ("", PROXIES)],
    )
    def test_is_the_client_if_it_is_not_trusted(
        self, peer: str, trusted: Sequence[Network]
    ) -> None:
        for header in ((FORWARDED, "for=198.51.100.1"), (X_FORWARDED_FOR, "198.51.100.1")):
            found = address(header, peer=peer, trusted=trusted)
            assert found == peer.removeprefix("::ffff:")

    def test_may_be_trusted_as_ipv4_in_ipv6(self) -> None:
        assert address((X_FORWARDED_FOR, CLIENT), peer="::ffff:10.0.0.1") == CLIENT


class TestXForwardedFor:
    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ("203.0.113.7", CLIENT),
            ("203.0.113.7:4711", CLIENT),
            (" 203.0.113.7\t", CLIENT),
            ("198.51.100.1, 203.0.113.7", CLIENT),
            ('unknown,,;", 203.0.113.7', CLIENT),
            ("203.0.113.7, 10.9.9.9, 127.0.0.1", CLIENT),
            ("203.0.113.7,2001:db8::1,[2001:db8::2],[2001:db8::3]:80", CLIENT),
            ("2001:0DB9::0001", "2001:db9::1"),
            ("[2001:db9::1]", "2001:db9::1"),
            ("[2001:db9::1]:65535", "2001:db9::1"),
            ("::ffff:203.0.113.7", CLIENT),
            ("[::ffff:10.0.0.2]", "10.0.0.2"),
            ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("203.0.113.7, unknown, 10.0.0.2", "10.0.0.2"),
            ("203.0.113.7, , 10.0.0.2", "10.0.0.2"),
            ("203.0.113.7, 10.0.0.2,", PEER),
        ],
    )
    def test_tells_the_last_address_that_is_not_trusted(self, value: str, found: str) -> None:
        assert address((X_FORWARDED_FOR, value)) == found

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "unknown",
            "_hidden",
            "client.example.com",
            "203.0.113",
            "203.0.113.256",
            "203.0.113.07",
            "203.0.113.7/32",
            "203.0.113.7:",
            "203.0.113.7:port",
            "203.0.113.7:123456",
            "203.0.113.7 203.0.113.8",
            '"203.0.113.7"',
            "for=203.0.113.7",
            "[203.0.113.7]x",
            "[2001:db9::1",
            "2001:db9::1]",
            "2001:db9::1%25eth0",
            "fe80::1%eth0",
            "2001:db9::1::2",
            "2001:db9::1" * 100,
            "\u0662\u0660\u0663.0.113.7",
            "\xff",
            "1",
            "::g",
        ],
        ids=ascii,
    )
    def test_that_is_malformed_leaves_the_peer(self, value: str) -> None:
        assert address((X_FORWARDED_FOR, value)) == PEER
        assert address((X_FORWARDED_FOR, f"{CLIENT}, {value}")) == PEER

    def test_may_be_several_headers(self) -> None:
        first, second = (X_FORWARDED_FOR, "198.51.100.1"), (X_FORWARDED_FOR, CLIENT)
        assert address(first, second) == CLIENT
        assert address(first, second, (X_FORWARDED_FOR, "10.0.0.2")) == CLIENT

    @pytest.mark.parametrize(("proxies", "found"), [(15, CLIENT), (16, "10.0.0.2")])
    def test_is_read_for_sixteen_addresses(self, proxies: int, found: str) -> None:
        assert address((X_FORWARDED_FOR, ",".join([CLIENT, *["10.0.0.2"] * proxies]))) == found


class TestBothHeaders:
    @pytest.mark.parametrize("sent", ["for=198.51.100.1", "for=unknown", "", "x", f"for={CLIENT}"])
    def test_leave_a_client_no_way_to_hide_behind_the_one_that_its_proxy_does_not_write(
        self, sent: str
    ) -> None:
        written = (X_FORWARDED_FOR, CLIENT)
        assert address((FORWARDED, sent), written) == CLIENT
        assert address(written, (FORWARDED, sent)) == CLIENT

    @pytest.mark.parametrize("value", ["unknown", "", "10.0.0.2"])
    def test_are_not_mixed(self, value: str) -> None:
        found = address((FORWARDED, "for=198.51.100.1"), (X_FORWARDED_FOR, value))
        assert found == (value if value == "10.0.0.2" else PEER)


async def test_is_logged_of_every_request(serve: Serve) -> None:
    loopback = ip_network("127.0.0.1")
    for trusted, found in (((loopback,), CLIENT), ((), "127.0.0.1")):
        service = await serve(trusted_proxies=trusted)
        await service.ask("GET", "/livez", headers={X_FORWARDED_FOR: CLIENT})
        await service.send(b"GET / HTTP/1.1\r\nX-Forwarded-For: 198.51.100.1\r\nbroken\r\n\r\n")
        clients = [(event["code"], event["client"]) for event in service.events]
        assert clients == [("OK", found), ("INVALID_REQUEST", "127.0.0.1")]
