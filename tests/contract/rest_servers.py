"""A LiveKit double and this service, each a process of its own, for the REST suite."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

from contract.rest.arranging import LiveKit
from contract.rest.connection import Address, Patience
from contract.rest.endpoint import Endpoint, Tenant
from tests.contract.double_program import COMMAND as DOUBLE
from tests.contract.double_program import program
from tests.support.command import COMMAND, Run, environment
from tests.support.imports import PROJECT
from tests.support.timeouts import scaled

TENANTS = (
    Tenant(id="tenant-a", token="token-of-the-first"),
    Tenant(id="tenant-b", token="token-of-the-second"),
)
_SECRETS = ", ".join(f'{{"id": "{each.id}", "secret": "{each.token}"}}' for each in TENANTS)
ANSWER_TIMEOUT_S = scaled(20.0)
SLOW = {"R1.11", "R3.14", "R3.15", "R3.16", "R7.6"}
"""The clauses that wait for the service, a second or longer."""


@frozen(kw_only=True)
class Servers:
    """The service and the LiveKit double behind it."""

    url: str
    livekit_url: str

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def endpoint(self, port: int, *, answer_timeout_s: float = ANSWER_TIMEOUT_S) -> Endpoint:
        """Return the endpoint on a port, in front of this double."""
        return Endpoint(
            address=Address(f"http://127.0.0.1:{port}"),
            livekit=LiveKit(url=self.livekit_url, api_key="devkey", api_secret="secret"),
            tenants=TENANTS,
            patience=Patience(answer_timeout_s),
        )

    def options(self, url: str = "") -> Sequence[str]:
        """Return the suite's options for this service, or for another server."""
        tokens = [f"--token={each.id}={each.token}" for each in TENANTS]
        where = [f"--base-url={url or self.url}", f"--livekit-url={self.livekit_url}"]
        return [*where, *tokens, f"--answer-timeout={ANSWER_TIMEOUT_S:g}"]

    def run_suite(
        self, *options: str, url: str = "", **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run the suite as its users do, by pytest, on this service or on another server."""
        return run_pytest(*self.options(url), *options, **variables)


def run_pytest(*options: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pytest", PROJECT / "contract/rest", *options],
        cwd=PROJECT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=scaled(240),
        check=False,
    )


@contextmanager
def running_servers(
    folder: Path,
    *,
    double_command: Sequence[str | Path] = DOUBLE,
    command: Sequence[str | Path] = COMMAND,
) -> Iterator[Servers]:
    """Run both, the service with short time limits."""
    run = Run(folder)
    with program(command=double_command) as double:
        try:
            service = run(
                command=command,
                LIVEKIT_URL=double.url,
                LIVEKIT_API_KEY="devkey",
                LIVEKIT_API_SECRET="secret",
                LIVEKIT_TIMEOUT_SECONDS=f"{scaled(2):g}",
                LIVEKIT_PROBE_DELAY_SECONDS="0.01",
                AUTH_API_SECRETS_JSON=f"[{_SECRETS}]",
                BODY_TIMEOUT_SECONDS=f"{scaled(1):g}",
                HEADERS_TIMEOUT_SECONDS=f"{scaled(1):g}",
            )
            yield Servers(url=service.url, livekit_url=double.url)
        finally:
            run.end()
