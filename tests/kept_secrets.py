"""The secrets that tests make up, and a search for them in all that the service wrote.

As a part of pytest it searches after each test what that test had the service write: its answers,
its log, what its processes wrote, and what pytest captured. A find fails the test.
"""

import re
from collections.abc import Generator, Mapping

import pytest
from attrs import define, field

_SHAPES: Mapping[str, re.Pattern[bytes]] = {
    "made-up secret": re.compile(rb"s3cret|secret-of-", re.IGNORECASE),
    "signed token": re.compile(rb"eyJ[\w-]{5,}\.[\w-]+\.[\w-]{20}"),
    "private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
}


@define
class KeptSecrets:
    """What must be kept, and where it was found all the same."""

    _kinds: dict[bytes, str] = field(factory=dict)
    _finds: dict[str, None] = field(factory=dict)

    def keep(self, secret: str, kind: str) -> None:
        """Look for a secret, too, which what all made-up ones have in common does not give away."""
        self._kinds[secret.encode()] = kind

    def search(self, text: str | bytes) -> list[str]:
        """Tell which kinds of secrets are in a text."""
        found = text.encode(errors="surrogatepass") if isinstance(text, str) else text
        kinds = [kind for kind, shape in _SHAPES.items() if shape.search(found)]
        return kinds + [kind for secret, kind in self._kinds.items() if secret in found]

    def hear(self, where: str, written: str | bytes) -> None:
        """Search what the service wrote."""
        self._finds |= {f"a {kind} in {where}": None for kind in self.search(written)}

    def finds(self) -> list[str]:
        """Tell, once, which kinds of secrets were found where."""
        finds, self._finds = [*self._finds], {}
        return finds


_KEPT = KeptSecrets()
hear, search = _KEPT.hear, _KEPT.search


def keep(secret: str, kind: str = "made-up secret") -> str:
    """Have a secret looked for in this run, and give it."""
    _KEPT.keep(secret, kind)
    return secret


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Search once a test is torn down, and all that it started is gone.

    A failure's own text is left out: it quotes the test, and so the secrets in it.
    """
    report = yield
    if call.when == "teardown":
        for where, captured in report.sections:
            hear(where, captured)
        finds = _KEPT.finds()
        if finds and report.passed and not item.get_closest_marker("leaks"):
            report.outcome, report.longrepr = "failed", f"{report.nodeid} leaks " + "; ".join(finds)
            report.sections.clear()  # which would be shown
    return report
