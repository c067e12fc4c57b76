"""Pipelined requests of all kinds, valid and invalid."""

import asyncio
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from attrs import define, field, frozen

from tests.robustness.clients import get, mute
from tests.support.service import MUTE
from tests.support.sockets import will_reset

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_BATCH = 32


@frozen
class LastRequest:
    """The last request on a connection; no status where the client does not wait for one."""

    request: bytes
    status: int | None


def keep_alive_requests(
    fields: Mapping[str, object], *, token: str, other_token: str
) -> Sequence[tuple[bytes, int]]:
    """Return a request of each kind that keeps the connection open, and its status."""
    return [
        (get("/"), 200),
        (get("/livez", "X-Request-ID: mine"), 200),
        (get("/readyz"), 200),
        (get("/nothing-here"), 404),
        (get(MUTE), 405),
        (mute(fields, token=token), 200),
        (mute({**fields, "more": [1, 2.5, None]}, token=token), 200),
        (mute(fields, token="wrong"), 401),
        (mute(fields, token="not a token"), 401),
        (mute(fields, token=other_token), 404),
        (mute({**fields, "room_name": "no-such-room"}, token=token), 404),
        (mute({**fields, "track_sid": "TR_absent"}, token=token), 404),
        (mute({**fields, "muted": "yes"}, token=token), 400),
        (mute({**fields, "track_sid": "x" * 200}, token=token), 400),
        (mute(fields, token=token).replace(b"application/json", b"text/plain"), 415),
    ]


def last_requests(fields: Mapping[str, object], *, token: str) -> Sequence[LastRequest]:
    """Return a request of each kind that ends a connection."""
    complete = mute(fields, token=token)
    head = complete[: complete.index(b"\r\n\r\n")]
    body = json.dumps(fields).encode()
    chunked = re.sub(rb"Content-Length: \d+", b"Transfer-Encoding: chunked", head)
    return [
        LastRequest(get("/livez", "Connection: close"), 200),
        LastRequest(b"NOT HTTP AT ALL\r\n\r\n", 400),
        LastRequest(get("/livez").replace(b"1.1", b"3.0"), 400),
        LastRequest(get("/" + "x" * 9000), 400),
        LastRequest(mute({**fields, "more": "x" * 20_000}, token=token), 413),
        LastRequest(chunked + b"\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), 200),
        LastRequest(chunked + b"\r\n\r\nno size\r\n", 400),
        LastRequest(complete[:-20], None),
        LastRequest(complete[:60], None),
        LastRequest(complete * 3, None),
    ]


def _first_difference(expected: Sequence[tuple[bytes, int | None]], statuses: Sequence[int]) -> str:
    for (sent, status), received in zip(expected, statuses, strict=False):
        if received != status:
            return f"{received} instead of {status} for {sent[:400]!r}"
    last = expected[-1][0][:400]
    return f"{len(statuses)} instead of {len(expected)} responses, the last for {last!r}"


@define(kw_only=True)
class MixedLoad:
    """Clients that each send batches of random requests, a connection for each batch."""

    url: str
    requests: Sequence[tuple[bytes, int]]
    last_requests: Sequence[LastRequest]
    responses: int = field(init=False, default=0)
    wrong: list[str] = field(init=False, factory=list)
    _random: random.Random = field(init=False, factory=lambda: random.Random(7))  # noqa: S311 - no secret

    async def run_until(self, responses: int, *, clients: int) -> None:
        """Send requests until so many responses were received, or a wrong one."""
        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(self._run_while(lambda: self.responses < responses))

    async def _run_while(self, condition: Callable[[], bool]) -> None:
        while condition() and not self.wrong:
            batch = self._random.choices(self.requests, k=_BATCH)
            last = self._random.choice(self.last_requests)
            closes = last.status is not None
            expected = [*batch, (last.request, last.status)] if closes else batch
            request = b"".join(each for each, _ in batch) + last.request
            statuses = await self._exchange(request, len(expected), closes=closes)
            self.responses += len(statuses)
            statuses = statuses if closes else statuses[:_BATCH]
            if statuses != [status for _, status in expected]:
                self.wrong.append(_first_difference(expected, statuses))

    async def _exchange(self, request: bytes, responses: int, *, closes: bool) -> list[int]:
        """Send everything at once; read to the end, or reset the connection after so many."""
        address = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        received = b""
        try:
            writer.write(request)
            while closes or len(_STATUS.findall(received)) < responses or received[-1:] != b"}":
                chunk = await reader.read(1 << 16)
                if not chunk:
                    break
                received += chunk
        finally:
            if not closes:
                will_reset(writer)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        return [int(status) for status in _STATUS.findall(received)]
