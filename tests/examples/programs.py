"""Programs that use the installed package, run as their users run them: outside the repository."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from pathlib import Path

from attrs import define, field, frozen
from typing_extensions import override

from tests.support.server_process import ServerProcess, free_ports, running
from tests.support.timeouts import scaled


@define(kw_only=True)
class ExampleServer(ServerProcess):
    """A server of an example's own; any response shows that it is up."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @override
    def is_up(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except OSError:
            return False
        finally:
            connection.close()
        return True


@frozen
class Programs:
    """Runs Python programs in an environment that has nothing but what they are told."""

    environment: Mapping[str, str] = field(repr=False)
    """Where the package is, and which LiveKit they use."""

    def command(self, *arguments: str | Path, **variables: str) -> list[str]:
        assigned = [f"{name}={value}" for name, value in {**self.environment, **variables}.items()]
        return ["env", "-i", *assigned, *map(str, arguments)]

    async def run(self, *arguments: str | Path, folder: Path, python: str = sys.executable) -> str:
        """Run a program to its end in a folder, and return what it prints."""
        done = await asyncio.to_thread(
            subprocess.run,
            self.command(python, *arguments),
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=scaled(120),
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    @asynccontextmanager
    async def serve(self, *arguments: str | Path, **variables: str) -> AsyncIterator[str]:
        """Run a server; ``{port}`` stands for its port. Yields its URL."""

        def configure() -> ExampleServer:
            [port] = free_ports(1)
            given = [str(each).format(port=port) for each in arguments]
            assigned = {name: value.format(port=port) for name, value in variables.items()}
            command = self.command(sys.executable, *given, **assigned)
            return ExampleServer(port=port, command=command)

        server = running(configure)
        started = await asyncio.to_thread(server.__enter__)
        try:
            yield started.url
        finally:
            await asyncio.to_thread(server.__exit__, None, None, None)


def check_types(library: Path, *programs: Path, python: str = sys.executable) -> None:
    """Check programs of somebody else's, who has no configuration of ours."""
    strict = ["--strict", "--config-file=", "--python-executable", python, "--cache-dir=/dev/null"]
    found = subprocess.run(
        [sys.executable, "-m", "mypy", *strict, *programs],
        env={"MYPYPATH": str(library)},
        capture_output=True,
        text=True,
        timeout=scaled(280),
        check=False,
    )
    assert found.returncode == 0, found.stdout
