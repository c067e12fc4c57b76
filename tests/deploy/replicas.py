"""Two replicas of the service behind a real proxy, and clients of the proxy."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

from attrs import define, field, frozen
from multidict import CIMultiDict

from tests.support.command import Run, Running
from tests.support.proxies import PROXIES, ProxyServer
from tests.support.replica import Replica, lasting_ports
from tests.support.secret_scan import scan_for_secrets
from tests.support.service import DEMO_REQUEST, MUTE, Answer
from tests.support.timeouts import scaled

SECRET = "secret-of-tenant-a"
CLIENT = "127.0.0.2"
"""The address of clients; the proxy's is 127.0.0.1."""
WITH_TOKEN = {"Authorization": f"Bearer {SECRET}"}
BODY = json.dumps(DEMO_REQUEST).encode()
_JSON = {"Content-Type": "application/json"}
_TIMEOUT_S = scaled(30)


def requests(replica: Replica) -> Sequence[Mapping[str, object]]:
    """Return what a replica has logged of requests since its start."""
    return [event for event in replica.running.events if event["event"] == "request"]


@define
class Site:
    """A proxy and the two replicas behind it."""

    proxy: ProxyServer
    replicas: Sequence[Replica]
    _tls: ssl.SSLContext

    def connect(self) -> HTTPSConnection:
        return HTTPSConnection(
            "localhost",
            self.proxy.port,
            timeout=_TIMEOUT_S,
            context=self._tls,
            source_address=(CLIENT, 0),
        )

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request to the proxy on a connection of its own."""
        return answer_of(self.connect(), method, target, body, headers)

    def mute(self, *, query: str = "", headers: Mapping[str, str] = WITH_TOKEN) -> Answer:
        return self.ask("POST", f"{MUTE}{query}", BODY, {**_JSON, **headers})

    def send(self, request: bytes, *, plain: bool = False) -> bytes:
        """Send bytes to the proxy, with or without TLS; return all that comes back."""
        port = self.proxy.plain_port if plain else self.proxy.port
        with socket.create_connection(("127.0.0.1", port), _TIMEOUT_S) as connection:
            connected = connection
            if not plain:
                connected = self._tls.wrap_socket(connection, server_hostname="localhost")
            with connected:
                connected.sendall(request)
                return b"".join(iter(lambda: connected.recv(65536), b""))

    def requests(self) -> Sequence[Mapping[str, object]]:
        """What the replicas have logged of requests."""
        return [event for replica in self.replicas for event in requests(replica)]

    @contextmanager
    def load(self, clients: int = 4) -> Iterator["Load"]:
        """Have clients mute one after another, each on a connection that it keeps."""
        load, stop = Load(), threading.Event()

        def client() -> None:
            with closing(self.connect()) as connection:
                while not stop.is_set():
                    load.count(_outcome(connection))

        threads = [threading.Thread(target=client) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield load
        finally:
            stop.set()
            for thread in threads:
                thread.join()


@define
class Load:
    """How often each outcome was seen."""

    outcomes: dict[str, int] = field(factory=dict)
    _lock: threading.Lock = field(factory=threading.Lock)

    def count(self, outcome: str) -> None:
        with self._lock:
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


def _outcome(connection: HTTPConnection) -> str:
    """Mute; return the status, or how it failed, for instance because the connection was lost."""
    try:
        connection.request("POST", MUTE, BODY, {**_JSON, **WITH_TOKEN})
        with connection.getresponse() as answer:
            answer.read()
            return str(answer.status)
    except (OSError, HTTPException) as error:
        connection.close()
        return type(error).__name__


def answer_of(
    connection: HTTPConnection,
    method: str,
    target: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Send a request, and close the connection after its answer."""
    with closing(connection):
        connection.request(method, target, body, dict(headers or {}))
        answer = connection.getresponse()
        headers_of_it = CIMultiDict(answer.getheaders())
        return Answer(status=answer.status, headers=headers_of_it, body=answer.read())


@contextmanager
def running_site(
    kind: str, folder: Path, changes: Mapping[str, str] | None = None
) -> Iterator[Site]:
    """Run two replicas and a proxy in front of them.

    Args:
        kind: nginx or caddy.
        folder: for all files.
        changes: to the proxy's configuration, besides ports, paths and addresses.
    """
    own = folder / "proxy"
    own.mkdir()
    with ExitStack() as stack:
        run = Run(folder)
        stack.callback(run.end)
        replicas = [Replica(port, _served_by(run, port)) for port in lasting_ports()]
        places = [f"127.0.0.1:{replica.port}" for replica in replicas]
        proxy = stack.enter_context(PROXIES[kind](own, places, changes or {}))
        tls = ssl.create_default_context(cafile=proxy.authority)
        yield Site(proxy, replicas, tls)
        for name, text in proxy.logs.items():
            scan_for_secrets(f"the proxy's {name}", text)


@frozen
class Connection:
    """A TCP connection to a port of loopback, as seen from either end; it may have ended."""

    client_port: int
    unread_bytes: int
    """What the server has not read yet."""


def _served_by(run: Run, port: int) -> Callable[..., Running]:
    """Return what starts a replica with the demo's rooms, and its metrics on the same port."""
    return partial(
        run,
        "--gateway",
        "in-memory",
        AUTH_API_SECRETS_JSON=json.dumps([{"id": "tenant-a", "secret": SECRET}]),
        METRICS_PORT=str(port),
        TRUSTED_PROXIES="127.0.0.1",
    )


def connections_to(port: int) -> Iterator[Connection]:
    """Yield the connections to a port of loopback."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues, *_ = line.split()
        local_port, remote_port = (int(each.partition(":")[2], 16) for each in (local, remote))
        if remote_port == port:
            yield Connection(local_port, 0)
        elif local_port == port and remote_port:
            yield Connection(remote_port, int(queues.partition(":")[2], 16))
