"""The setting of trusted proxies."""

from ipaddress import ip_network

from entrypoints.settings.settings import load_settings
from tests.entrypoints.settings.test_settings import problem


class TestTrustedProxies:
    def test_are_none_by_default(self) -> None:
        assert load_settings({}).proxies.trusted == ()

    def test_may_be_addresses_and_networks(self) -> None:
        value = "10.0.0.0/8,192.168.1.7 , 172.16.0.0/255.240.0.0, 2001:DB8::/32,::1"
        expected = ("10.0.0.0/8", "192.168.1.7", "172.16.0.0/12", "2001:db8::/32", "::1")
        found = load_settings({"TRUSTED_PROXIES": value}).proxies.trusted
        assert found == tuple(map(ip_network, expected))

    def test_stop_the_start_if_they_are_malformed(self) -> None:
        neither = "must be IP addresses and networks like 10.0.0.0/8; entry {} is neither"
        cases = {
            "s3cret": neither.format(1),
            "10.0.0.1,": neither.format(2),
            "10.0.0.1 10.0.0.2": neither.format(1),
            "10.0.0.1;10.0.0.2": neither.format(1),
            "10.0.0.0/33": neither.format(1),
            "proxy.example.com": neither.format(1),
            "::1, ::ffff:10.0.0.0/104": neither.format(2),
            "fe80::%eth0/64": neither.format(1),
            "::1,10.0.0.1/8": "entry 2: must begin with the first address of its network",
            "0.0.0.0/0": "entry 1: is every address, so any client could choose its own",
            "10.0.0.1,::/0": "entry 2: is every address, so any client could choose its own",
        }
        found = {value: problem({"TRUSTED_PROXIES": value}) for value in cases}
        assert found == {value: f"TRUSTED_PROXIES: {text}" for value, text in cases.items()}
