"""Requests of all kinds, good and bad, many behind one another on a connection."""

import asyncio
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from attrs import define, field, frozen

from tests.campaigns.clients import get, mute
from tests.service import MUTE
from tests.sockets import will_reset

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_AT_ONCE = 32


@frozen
class Last:
    """What a connection ends with; no status where the client does not wait for an answer."""

    request: bytes
    status: int | None


def asked(wish: Mapping[str, object], *, token: str, stranger: str) -> Sequence[tuple[bytes, int]]:
    """Give a request of each kind that leaves the connection open, and the status it deserves."""
    return [
        (get("/"), 200),
        (get("/livez", "X-Request-ID: mine"), 200),
        (get("/readyz"), 200),
        (get("/nothing-here"), 404),
        (get(MUTE), 405),
        (mute(wish, token=token), 200),
        (mute({**wish, "more": [1, 2.5, None]}, token=token), 200),
        (mute(wish, token="wrong"), 401),
        (mute(wish, token="not a token"), 401),
        (mute(wish, token=stranger), 404),
        (mute({**wish, "room_name": "no-such-room"}, token=token), 404),
        (mute({**wish, "track_sid": "TR_absent"}, token=token), 404),
        (mute({**wish, "muted": "yes"}, token=token), 400),
        (mute({**wish, "track_sid": "x" * 200}, token=token), 400),
        (mute(wish, token=token).replace(b"application/json", b"text/plain"), 415),
    ]


def last(wish: Mapping[str, object], *, token: str) -> Sequence[Last]:
    """Give a request of each kind that a connection ends with."""
    whole = mute(wish, token=token)
    head = whole[: whole.index(b"\r\n\r\n")]
    body = json.dumps(wish).encode()
    chunked = re.sub(rb"Content-Length: \d+", b"Transfer-Encoding: chunked", head)
    return [
        Last(get("/livez", "Connection: close"), 200),
        Last(b"NOT HTTP AT ALL\r\n\r\n", 400),
        Last(get("/livez").replace(b"1.1", b"3.0"), 400),
        Last(get("/" + "x" * 9000), 400),
        Last(mute({**wish, "more": "x" * 20_000}, token=token), 413),
        Last(chunked + b"\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), 200),
        Last(chunked + b"\r\n\r\nno size\r\n", 400),
        Last(whole[:-20], None),
        Last(whole[:60], None),
        Last(whole * 3, None),
    ]


def _first_difference(wanted: Sequence[tuple[bytes, int | None]], told: Sequence[int]) -> str:
    for (sent, status), answer in zip(wanted, told, strict=False):
        if answer != status:
            return f"{answer} instead of {status} answers {sent[:400]!r}"
    return f"{len(told)} instead of {len(wanted)} answers, the last to {wanted[-1][0][:400]!r}"


@define(kw_only=True)
class Crowd:
    """Clients who ask for everything, each over one connection after another."""

    url: str
    asked: Sequence[tuple[bytes, int]]
    last: Sequence[Last]
    answered: int = field(init=False, default=0)
    wrong: list[str] = field(init=False, factory=list)
    _random: random.Random = field(init=False, factory=lambda: random.Random(7))  # noqa: S311

    async def ask_until(self, answered: int, *, clients: int) -> None:
        """Ask until there were so many answers, or a wrong one."""
        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(self._keep_asking(lambda: self.answered < answered))

    async def _keep_asking(self, go_on: Callable[[], bool]) -> None:
        while go_on() and not self.wrong:
            chosen, end = (
                self._random.choices(self.asked, k=_AT_ONCE),
                self._random.choice(self.last),
            )
            closes = end.status is not None
            wanted = [*chosen, (end.request, end.status)] if closes else chosen
            request = b"".join(each for each, _ in chosen) + end.request
            statuses = await self._exchange(request, len(wanted), closes=closes)
            self.answered += len(statuses)
            told = statuses if closes else statuses[:_AT_ONCE]
            if told != [status for _, status in wanted]:
                self.wrong.append(_first_difference(wanted, told))

    async def _exchange(self, request: bytes, answers: int, *, closes: bool) -> list[int]:
        """Send all at once; read to the end, or break off behind so many answers."""
        address = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        received = b""
        try:
            writer.write(request)
            while closes or len(_STATUS.findall(received)) < answers or received[-1:] != b"}":
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
