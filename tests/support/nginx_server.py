"""A real nginx as a process of the tests' own."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import define
from typing_extensions import override

from tests.support.server_process import ParentProcess, free_ports, running

_MAIN = """\
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log {folder}/other-access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {site}
}}
"""


def nginx_command(site: str, folder: Path) -> Sequence[str]:
    """Write a configuration with ``site`` inside ``http``; return the command that starts nginx."""
    path = folder / "nginx.conf"
    path.write_text(_MAIN.format(folder=folder, site=site))
    return ["nginx", "-e", f"{folder}/error.log", "-c", str(path)]


@define(kw_only=True)
class NginxServer(ParentProcess):
    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @override
    def is_up(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


@contextmanager
def run_nginx(site: str, folder: Path) -> Iterator[NginxServer]:
    """Run nginx while this is entered, with its files in a folder of its own.

    ``site`` is what its configuration has inside ``http``, with ``{port}`` for the port.

    Raises:
        ServerDidNotStartError: it ended, or did not listen within a minute.
    """

    def configure() -> NginxServer:
        (port,) = free_ports(1)
        command = nginx_command(site.replace("{port}", str(port)), folder)
        return NginxServer(port=port, command=command)

    folder.mkdir()
    with running(configure) as server:
        yield server
