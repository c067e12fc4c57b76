"""The service on a real socket, as its callers see it; every answer is held to the document."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
import structlog
from attrs import field, frozen
from structlog.testing import LogCapture
from yarl import URL

from application.mute_track import MuteTrack
from application.ports.authenticator import Authenticator
from application.ports.room_gateway import RoomGateway
from entrypoints.http.app import create_app
from entrypoints.http.keys import TRAFFIC
from entrypoints.http.limits import Limits
from entrypoints.http.server import serving
from entrypoints.http.traffic import Traffic
from tests.document import Document
from tests.kept_secrets import hear

MUTE = "/livekit/participant/mute"
DEMO_WISH: Mapping[str, object] = {
    "room_name": "demo-room",
    "participant_identity": "alice",
    "track_sid": "TR_demo_mic",
    "muted": True,
}
QUICK = Limits(leaving_s=0)


@frozen(kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def told(self) -> tuple[int, str]:
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
        hear("an answer", f"{response.reason} {response.raw_headers} {body!r}")
        return Answer(status=response.status, headers=response.headers, body=body)

    async def mute(self, *, token: str | None = None, **changes: object) -> Answer:
        """Ask for the demo's track to be muted, or for something else; None leaves a field out."""
        wish = {**DEMO_WISH, **changes}
        members = {name: value for name, value in wish.items() if value is not None}
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
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0.01)
        received = await reader.read()
        writer.close()
        await writer.wait_closed()
        hear("an answer", received)
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
async def running_service(
    *,
    open_gateway: Callable[[], AbstractAsyncContextManager[RoomGateway]],
    open_authenticator: Callable[[], AbstractAsyncContextManager[Authenticator]],
    limits: Limits = QUICK,
    deadline_s: float = 5.0,
) -> AsyncIterator[Service]:
    """Serve on a free port of loopback, with a log that is kept."""
    capture = LogCapture()
    log = structlog.wrap_logger(
        None, processors=[capture], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    app = create_app(
        open_gateway=open_gateway,
        make_mute_track=lambda gateway: MuteTrack(gateway=gateway, deadline_s=deadline_s),
        open_authenticator=open_authenticator,
        limits=limits,
    )
    async with (
        serving(app, host="127.0.0.1", port=0, log=log) as url,
        aiohttp.ClientSession() as session,
    ):
        yield Service(url=url, session=session, events=capture.entries, traffic=app[TRAFFIC])
    hear("the log", "\n".join(map(str, capture.entries)))
