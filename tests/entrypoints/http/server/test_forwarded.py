"""The header Forwarded (RFC 7239), and what of it tells the client's address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.entrypoints.http.server.test_client_address import (
    CLIENT,
    FORWARDED,
    PEER,
    X_FORWARDED_FOR,
    address,
)


class TestForwarded:
    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ("for=203.0.113.7", CLIENT),
            ('for="203.0.113.7:4711"', CLIENT),
            ("For=203.0.113.7;proto=https;by=_x", CLIENT),
            ('proto=http ; FOR="203.0.113.7"; host="a,b"', PEER),
            ('host="a;for=198.51.100.1;b";for=203.0.113.7', CLIENT),
            (r'host="a\";for=198.51.100.1";for=203.0.113.7', CLIENT),
            ('for="[2001:db9::1]"', "2001:db9::1"),
            ('for="[2001:db9::1]:4711"', "2001:db9::1"),
            ('for="[2001:db9::1]:_port"', PEER),
            ("for=198.51.100.1, for=203.0.113.7", CLIENT),
            ("for=203.0.113.7, for=10.0.0.2;by=10.0.0.1", CLIENT),
            ("for=203.0.113.7, for=unknown, for=10.0.0.2", "10.0.0.2"),
            ("for=203.0.113.7, by=x, for=10.0.0.2", "10.0.0.2"),
        ],
    )
    def test_tells_the_last_address_that_is_not_trusted(self, value: str, found: str) -> None:
        assert address((FORWARDED, value)) == found

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "203.0.113.7",
            "for=unknown",
            'for="unknown"',
            "for=_hidden",
            "for=",
            'for=""',
            'for="203.0.113.7',
            'for=203.0.113.7"',
            "for=[2001:db9::1]",
            "for=203.0.113.7:80",
            "for=203.0.113.7;for=203.0.113.8",
            "for=203.0.113.7;",
            "for=203.0.113.7;proto",
            'for=203.0.113.7;host="',
            "for = 203.0.113.7",
            "by=203.0.113.7",
        ],
    )
    def test_that_is_malformed_leaves_the_peer(self, value: str) -> None:
        assert address((FORWARDED, value)) == PEER

    @pytest.mark.parametrize(
        "begun",
        [
            'for=198.51.100.1;x="',
            'for=198.51.100.1, for="',
            'for=198.51.100.1;x="\\',
            "for=198.51.100.1;",
            'for=198.51.100.1;x=", for=198.51.100.2;y="',
        ],
    )
    def test_of_a_proxy_cannot_become_a_part_of_what_the_client_sent(self, begun: str) -> None:
        assert address((FORWARDED, f"{begun}, for={CLIENT}")) == CLIENT
        assert address((FORWARDED, f'{begun}, for="[2001:db9::1]:80"')) == "2001:db9::1"

    @pytest.mark.parametrize(
        "host",
        [
            "a,for=198.51.100.1;x",
            "a,for=198.51.100.1;x=",
            ",for=198.51.100.1,",
            ",for=198.51.100.1",
        ],
    )
    def test_of_a_proxy_cannot_be_replaced_by_what_it_quotes(self, host: str) -> None:
        for element in (
            f'for={CLIENT};host="{host}"',
            f'for={CLIENT};host="{host}";proto=http',
            f'for={CLIENT};host="{host}";proto="http"',
        ):
            assert address((FORWARDED, element)) == PEER

    @given(st.text('for=198.51.10;"\\,x [:]', max_size=40))
    def test_of_a_proxy_counts_whatever_the_client_sent(self, sent: str) -> None:
        assert address((FORWARDED, f"{sent}, for={CLIENT};proto=https")) == CLIENT
        assert address((X_FORWARDED_FOR, f"{sent}, {CLIENT}")) == CLIENT
