"""A service to which happens all that the dashboard shows, and most that alerts are about."""

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
from typing_extensions import override

from tests.contract.double_program import program
from tests.support.command import Run
from tests.support.server_process import free_ports
from tests.support.service import DEMO_REQUEST, MUTE
from tests.support.timeouts import scaled

MAX_CONNECTIONS = 20
SECRET = "secret-of-tenant-a"
LIVEKIT_SECRET = "a-secret-of-at-least-32-characters"
UNKNOWN_KEY = "eyJhbGciOiJSUzI1NiIsImtpZCI6Im5ldyJ9.e30.c2ln"  # {"alg": "RS256", "kid": "new"}
_FAULTS: tuple[Mapping[str, Any], ...] = (
    {"call": "ListRooms", "times": 1, "answer": "hang_up"},
    {
        "call": "MutePublishedTrack",
        "times": 2,
        "answer": {"http": {"status": 401, "content_type": "text/plain", "body": ""}},
    },
    {"call": "MutePublishedTrack", "times": 20, "answer": {"twirp": {"code": "internal"}}},
)
_CLIENTS = 6
_TIMEOUT_S = scaled(30)


class _KeyServer(BaseHTTPRequestHandler):
    """Publishes a key set once, and fails from then on."""

    def do_GET(self) -> None:
        self.send_response(200 if self.server.asked_first() else 500)  # type: ignore[attr-defined]
        self.end_headers()
        self.wfile.write(b'{"keys": []}')

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


class _Once(ThreadingHTTPServer):
    _times = 0

    def asked_first(self) -> bool:
        self._times += 1
        return self._times == 1


@contextmanager
def provoked(folder: Path) -> Iterator[str]:
    """Run the service under load and under faults; give the host and port of its metrics."""
    with ExitStack() as stack:
        livekit = stack.enter_context(program(f"--api-secret={LIVEKIT_SECRET}")).url
        _open_room(livekit)
        secrets = folder / "secrets.json"
        secrets.write_text(json.dumps([{"id": "tenant-a", "secret": SECRET}]))
        start = Run(folder)
        stack.callback(start.end)
        service = start(
            LIVEKIT_URL=livekit,
            LIVEKIT_API_KEY="devkey",
            LIVEKIT_API_SECRET=LIVEKIT_SECRET,
            AUTH_API_SECRETS_FILE=str(secrets),
            AUTH_JWKS_URL=stack.enter_context(_key_server()),
            AUTH_JWT_AUDIENCE="mute",
            MAX_CONNECTIONS=str(MAX_CONNECTIONS),
            MAX_IN_FLIGHT="4",
            METRICS_PORT=str(free_ports(1)[0]),
            RATE_LIMIT_PER_TENANT="100000/second",
            RATE_LIMIT_STORAGE_URL="redis://127.0.0.1:1",
        )
        listening = next(each for each in service.events if each["event"] == "listening")
        secrets.write_text("[")
        service.send(signal.SIGHUP)
        with _load(service.url, livekit):
            yield urlsplit(str(listening["metrics_url"])).netloc


@contextmanager
def _key_server() -> Iterator[str]:
    with _Once(("127.0.0.1", 0), _KeyServer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def _open_room(livekit: str) -> None:
    claims = {"iss": "devkey", "exp": int(time.time()) + 600, "video": {"roomCreate": True}}
    token = jwt.encode(claims, LIVEKIT_SECRET)
    room = {"name": DEMO_REQUEST["room_name"], "metadata": json.dumps({"auth_id": "tenant-a"})}
    _post(livekit, "/twirp/livekit.RoomService/CreateRoom", room, token)
    somebody = {
        "room": DEMO_REQUEST["room_name"],
        "identity": DEMO_REQUEST["participant_identity"],
    }
    _post(livekit, "/double/join", somebody)
    _post(livekit, "/double/publish", {**somebody, "sid": DEMO_REQUEST["track_sid"]})


@contextmanager
def _load(service: str, livekit: str) -> Iterator[None]:
    """Send requests of all kinds from several clients, and arrange faults of LiveKit."""
    stop = threading.Event()

    def client(faults: Sequence[Mapping[str, Any]]) -> None:
        while not stop.is_set():
            for fault in faults:
                _post(livekit, "/double/fail", fault)
            for _ in range(20):
                _post(service, MUTE, DEMO_REQUEST, SECRET)
            _post(service, MUTE, {**DEMO_REQUEST, "participant_identity": "nobody"}, SECRET)
            _post(service, MUTE, DEMO_REQUEST, "unknown")
            for _ in range(15):
                _post(service, MUTE, DEMO_REQUEST, UNKNOWN_KEY)
            _post(service, "/no/such/path", {})

    arranged = [_FAULTS, *([()] * (_CLIENTS - 1))]  # by one client, or there would be too many
    threads = [threading.Thread(target=client, args=[faults]) for faults in arranged]
    threads.append(threading.Thread(target=_connect_too_often, args=[service, stop]))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _connect_too_often(service: str, stop: threading.Event) -> None:
    """Open connections beyond the limit and those that are answered 503, now and again."""
    address = (urlsplit(service).hostname or "", urlsplit(service).port or 0)
    while not stop.wait(5):
        with ExitStack() as opened, suppress(ConnectionError):
            connections = [
                opened.enter_context(socket.create_connection(address, _TIMEOUT_S))
                for _ in range(MAX_CONNECTIONS + 256 + 100)
            ]
            connections[-1].recv(1)  # until it is closed: all are open then


def _post(url: str, target: str, members: Mapping[str, object], token: str = "") -> None:
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=_TIMEOUT_S)) as connection:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        with suppress(ConnectionError):  # while too many are connected
            connection.request("POST", target, json.dumps(members), headers)
            connection.getresponse().read()
