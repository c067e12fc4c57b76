"""A scan for the tests' secrets in everything that the service wrote.

As a pytest plugin it scans, after each test, the service's responses and log, the output of its
processes, and what pytest captured. A secret that is found fails the test.
"""

import re
from collections.abc import Generator, Mapping

import pytest
from attrs import define, field

_PATTERNS: Mapping[str, re.Pattern[bytes]] = {
    "test secret": re.compile(rb"s3cret|secret-of-", re.IGNORECASE),
    "signed token": re.compile(rb"eyJ[\w-]{5,}\.[\w-]+\.[\w-]{20}"),
    "private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
}


@define
class SecretScanner:
    """Secrets of the tests, and where they were found."""

    _secrets: dict[bytes, str] = field(factory=dict)
    _finds: dict[str, None] = field(factory=dict)

    def keep(self, secret: str, kind: str) -> None:
        """Register a secret that none of the patterns matches."""
        self._secrets[secret.encode()] = kind

    def search(self, text: str | bytes) -> list[str]:
        """Return the kinds of secrets in a text."""
        content = text.encode(errors="surrogatepass") if isinstance(text, str) else text
        kinds = [kind for kind, pattern in _PATTERNS.items() if pattern.search(content)]
        return kinds + [kind for secret, kind in self._secrets.items() if secret in content]

    def scan_for_secrets(self, where: str, written: str | bytes) -> None:
        """Record the kinds of secrets in something that the service wrote."""
        self._finds |= {f"a {kind} in {where}": None for kind in self.search(written)}

    def finds(self) -> list[str]:
        """Return what was found since the last call."""
        finds, self._finds = [*self._finds], {}
        return finds


_SCANNER = SecretScanner()
scan_for_secrets, search = _SCANNER.scan_for_secrets, _SCANNER.search


def keep(secret: str, kind: str = "test secret") -> str:
    """Register a secret for the rest of the run, and return it."""
    _SCANNER.keep(secret, kind)
    return secret


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Scan after the teardown of a test, when everything that it started has ended.

    The text of a failure is not scanned: it quotes the test, and so its secrets.
    """
    report = yield
    if call.when == "teardown":
        for where, captured in report.sections:
            scan_for_secrets(where, captured)
        finds = _SCANNER.finds()
        if finds and report.passed and not item.get_closest_marker("leaks"):
            report.outcome, report.longrepr = "failed", f"{report.nodeid} leaks " + "; ".join(finds)
            report.sections.clear()  # pytest would print them
    return report
