"""The service on a real socket, as its callers see it; every answer is held to the document."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from typing import Any

import aiohttp
import structlog
from aiohttp import web
from attrs import field, frozen
from structlog.testing import LogCapture
from yarl import URL

from application.ports.authenticator import Authenticator
from application.ports.rate_limiter import FailureLimiter, RateLimiter
from application.ports.room_gateway import RoomGateway
from application.room_access import RoomAccess
from entrypoints.http.api.context import Observer
from entrypoints.http.app import create_app
from entrypoints.http.limits import Limits
from entrypoints.http.observers.request_log import request_log
from entrypoints.http.server.client_address import Network
from entrypoints.http.server.keys import TRAFFIC
from entrypoints.http.server.listener import serving
from entrypoints.http.server.traffic import Traffic
from tests.support.openapi_document import Document
from tests.support.secret_scan import scan_for_secrets

MUTE = "/livekit/participant/mute"
DEMO_REQUEST: Mapping[str, object] = {
    "room_name": "demo-room",
    "participant_identity": "alice",
    "track_sid": "TR_demo_mic",
    "muted": True,
}
QUICK = Limits(leave_delay_s=0)


@frozen(kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def outcome(self) -> tuple[int, str]:
        """What matters of an error."""
        return self.status, self.json["code"]


@frozen(kw_only=True)
class Service:
    url: URL
    session: aiohttp.ClientSession = field(repr=False)
    events: Sequence[Mapping[str, Any]] = field(repr=False)
    """What the service wrote to its log, the newest last."""
    traffic: Traffic = field(repr=False)
    document: Document = field(factory=Document, repr=False)

    async def ask(self, method: str, path: str, **request: Any) -> Answer:
        async with self.session.request(method, self.url.join(URL(path)), **request) as response:
            body = await response.read()
        self.document.check(
            method=method, path=path, status=response.status, headers=response.headers, body=body
        )
        scan_for_secrets("an answer", f"{response.reason} {response.raw_headers} {body!r}")
        return Answer(status=response.status, headers=response.headers, body=body)

    async def mute(self, *, token: str | None = None, **changes: object) -> Answer:
        """Ask for the demo's track to be muted, or for something else; None leaves a field out."""
        fields = {**DEMO_REQUEST, **changes}
        members = {name: value for name, value in fields.items() if value is not None}
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await self.ask("POST", MUTE, json=members, headers=headers)

    async def post(self, body: bytes, **headers: str) -> Answer:
        kind = {"Content-Type": "application/json"}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask("POST", MUTE, data=body, headers=kind | given)

    async def send(
        self, *parts: bytes, path: str | None = None, method: str = "POST"
    ) -> list[Answer]:
        """Send bytes as they are, and read all answers until the service closes the connection.

        Without a path the answers belong to no route: malformed HTTP and the like.
        """
        reader, writer = await asyncio.open_connection(self.url.host, self.url.port)
        reading = asyncio.create_task(_read_until_closed(reader))
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0.01)
        received = await reading
        writer.close()
        with suppress(ConnectionResetError):
            await writer.wait_closed()
        scan_for_secrets("an answer", received)
        answers = parse_answers(received)
        for answer in answers:
            seen: dict[str, Any] = {
                "status": answer.status,
                "headers": answer.headers,
                "body": answer.body,
            }
            if path is None:
                self.document.check_error(**seen)
            elif answer.status >= HTTPStatus.OK:
                self.document.check(method=method, path=path, **seen)
        return answers


async def _read_until_closed(reader: asyncio.StreamReader) -> bytes:
    """Read all answers; a part that is sent after the last of them resets the connection."""
    received = b""
    try:
        while part := await reader.read(65536):
            received += part
    except ConnectionResetError:
        if not received:
            raise
    return received


def parse_answers(received: bytes) -> list[Answer]:
    """Take a stream of answers apart, each framed by its Content-Length."""
    answers: list[Answer] = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        version, status, _ = status_line.split(" ", 2)
        assert version in ("HTTP/1.1", "HTTP/1.0"), status_line
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers.get("Content-Length", 0))
        answers.append(Answer(status=int(status), headers=headers, body=received[:length]))
        received = received[length:]
    return answers


@asynccontextmanager
async def running_service(  # noqa: PLR0913 - what a service is made of
    *,
    open_gateway: Callable[[], AbstractAsyncContextManager[RoomGateway]],
    open_authenticator: Callable[[], AbstractAsyncContextManager[Authenticator]],
    open_rate_limiter: Callable[[], AbstractAsyncContextManager[RateLimiter]] | None = None,
    failure_limiter: FailureLimiter | None = None,
    limits: Limits = QUICK,
    trusted_proxies: Sequence[Network] = (),
    allowed_origins: Collection[str] = (),
    observers: Sequence[Observer] = (),
    timeout_s: float = 5.0,
    more_routes: Sequence[web.RouteDef] = (),
) -> AsyncIterator[Service]:
    """Serve on a free port of loopback, with a log that is kept."""
    capture = LogCapture()
    log = structlog.wrap_logger(
        None, processors=[capture], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    app = create_app(
        open_gateway=open_gateway,
        make_access=partial(_make_access, timeout_s=timeout_s),
        open_authenticator=open_authenticator,
        open_rate_limiter=open_rate_limiter,
        failure_limiter=failure_limiter,
        limits=limits,
        trusted_proxies=trusted_proxies,
        allowed_origins=allowed_origins,
        observers=[request_log(log), *observers],
    )
    app.router.add_routes(more_routes)
    async with (
        serving(app, host="127.0.0.1", port=0) as url,
        aiohttp.ClientSession() as session,
    ):
        yield Service(url=url, session=session, events=capture.entries, traffic=app[TRAFFIC])
    scan_for_secrets("the log", "\n".join(map(str, capture.entries)))


def _make_access(gateway: RoomGateway, *, timeout_s: float) -> RoomAccess:
    return RoomAccess(gateway=gateway, timeout_s=timeout_s)
