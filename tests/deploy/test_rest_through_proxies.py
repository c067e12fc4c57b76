"""The REST suite through the proxies: which clauses are not kept then, the page says."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.contract.rest_servers import running_servers
from tests.support.imports import PROJECT
from tests.support.proxies import PROXIES
from tests.support.timeouts import scaled

SHORT, LONGER = f"{scaled(3):g}s", f"{scaled(5):g}s"
TIMEOUTS: Mapping[str, Mapping[str, str]] = {
    "nginx": {
        "client_header_timeout 10s": f"client_header_timeout {SHORT}",
        "client_body_timeout 5s": f"client_body_timeout {SHORT}",
    },
    "caddy": {
        "read_header 10s": f"read_header {SHORT}",
        "read_body 15s": f"read_body {LONGER}",
        "health_interval 1s": "health_interval 1h",  # the suite counts calls to LiveKit
    },
}
KINDS = [
    pytest.param("nginx", marks=pytest.mark.nginx),
    pytest.param("caddy", marks=pytest.mark.caddy),
]


def documented(kind: str) -> set[str]:
    """Return the clauses that the page says are not kept through a proxy."""
    page = (PROJECT / "docs/proxies.md").read_text()
    rows = re.findall(r"^\| ((?:R\d+\.\d+(?:, )?)+) \| (.+?) \| (.+?) \|$", page, re.MULTILINE)
    column = {"nginx": 0, "caddy": 1}[kind]
    return {
        clause
        for clauses, *answers in rows
        if answers[column] != "as the service"
        for clause in clauses.split(", ")
    }


class TestClauses:
    @pytest.mark.parametrize("kind", KINDS)
    def test_are_kept_but_for_those_of_the_page(self, kind: str, tmp_path: Path) -> None:
        folder, table = tmp_path / "proxy", tmp_path / "table.md"
        folder.mkdir()
        with running_servers(tmp_path) as servers:
            places = [f"127.0.0.1:{servers.port}"] * 2
            with PROXIES[kind](folder, places, TIMEOUTS[kind]) as proxy:
                done = servers.run_suite(
                    f"--markdown={table}", url=proxy.url, SSL_CERT_FILE=str(proxy.authority)
                )
        rows = r"^\| (R\d+\.\d+) \|.*\| (\w+)[^|]*\|$"
        results = dict(re.findall(rows, table.read_text(), re.MULTILINE))
        assert "kept" in results.values(), done.stdout
        assert {one for one, result in results.items() if result != "kept"} == documented(kind)
