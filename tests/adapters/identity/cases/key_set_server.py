"""A key server on a real socket, and an issuer's keys that sign tokens."""

import asyncio
import gzip
import json
import socket
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from attrs import define, field, frozen
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from adapters.in_memory.demo import DEMO
from tests.support.sockets import IDLE_TIMEOUT

MAX_BYTES = 256 * 1024


@frozen
class IssuerKey:
    """A private key; its public part is published with ``kid`` and the members in ``more``."""

    kid: str | None
    alg: str = "ES256"
    key: ECKey | RSAKey = field(factory=lambda: ECKey.generate_key("P-256"), repr=False)
    more: Mapping[str, object] = field(factory=dict, kw_only=True)

    @property
    def entry(self) -> Mapping[str, object]:
        named = {} if self.kid is None else {"kid": self.kid}
        return {**self.key.as_dict(private=False), **named, **self.more}

    def sign(self, **changes: str) -> str:
        """Sign a token of the demo tenant, with changes to its header."""
        named = {} if self.kid is None else {"kid": self.kid}
        header = {"alg": self.alg, **named, **changes}
        claims = {"sub": DEMO.tenant, "exp": int(time.time()) + 3600}
        return jwt.encode(header, claims, self.key, algorithms=[self.alg])


def rsa_key(kid: str, *, bits: int = 2048) -> IssuerKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return IssuerKey(kid, "RS256", RSAKey(key, None))


def renamed(token: str, kid: str) -> str:
    """Change the ``kid`` of a token, which invalidates its signature."""
    header = json.dumps({"alg": "ES256", "kid": kid}).encode()
    return urlsafe_b64encode(header).rstrip(b"=").decode() + "." + token.partition(".")[2]


Answer = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]
"""Responds to a request; the key set is given as text."""


async def as_it_is(_: web.Request, text: bytes) -> web.StreamResponse:
    return web.Response(body=text, content_type="application/jwk-set+json")


async def send_slowly(request: web.Request, text: bytes) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_length = len(text) + MAX_BYTES // 2
    await response.prepare(request)
    await response.write(text)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.02)


async def break_off(request: web.Request, text: bytes) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_length = len(text) + 1
    await response.prepare(request)
    await response.write(text)
    response.force_close()
    return response


async def send_ssh(request: web.Request, _: bytes) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(b"SSH-2.0-s3cret\r\n")
    request.transport.close()
    return await asyncio.Future()


def responding(make: Callable[[bytes], web.StreamResponse]) -> Answer:
    async def answer(_: web.Request, text: bytes) -> web.StreamResponse:
        return make(text)

    return answer


def padded(size: int) -> Answer:
    return responding(lambda text: web.Response(body=text.ljust(size)))


as_html = responding(lambda text: web.Response(body=text, content_type="text/html"))
with_a_cookie = responding(
    lambda text: web.Response(body=text, headers={"Set-Cookie": "s3cret=s3cret; Path=/"})
)
_REDIRECT = {"Location": "/redirected"}
_GZIP = {"Content-Encoding": "gzip"}

FAILING: Mapping[str, tuple[str, Answer]] = {
    "an error": ("status 500", responding(lambda text: web.Response(body=text, status=500))),
    "not found": ("status 404", responding(lambda text: web.Response(body=text, status=404))),
    "another success": ("status 203", responding(lambda text: web.Response(body=text, status=203))),
    "no content": ("status 204", responding(lambda _: web.Response(status=204))),
    "a redirect": (
        "status 302",
        responding(lambda text: web.Response(body=text, status=302, headers=_REDIRECT)),
    ),
    "a permanent redirect": (
        "status 308",
        responding(lambda text: web.Response(body=text, status=308, headers=_REDIRECT)),
    ),
    "not HTTP": ("answer is not valid HTTP", send_ssh),
    "an incomplete response": ("incomplete response", break_off),
    "a byte too much": ("response too large", padded(MAX_BYTES + 1)),
    "far too much": ("response too large", padded(1 << 24)),
    "an empty body": ("response is not JSON", responding(lambda _: web.Response())),
    "HTML": ("response is not JSON", responding(lambda _: web.Response(body=b"<s3cret>"))),
    "truncated JSON": (
        "response is not JSON",
        responding(lambda text: web.Response(body=text[:-1])),
    ),
    "compressed": (
        "response is compressed",
        responding(lambda text: web.Response(body=gzip.compress(text), headers=_GZIP)),
    ),
    "compressed and large": (
        "response is compressed",
        responding(
            lambda text: web.Response(body=gzip.compress(text.ljust(1 << 20)), headers=_GZIP)
        ),
    ),
    "a duplicate key": (
        "response a key is given twice in one object",
        responding(lambda text: web.Response(body=b'{"keys": [],' + text[1:])),
    ),
    "NaN": (
        "response holds NaN, which is not JSON",
        responding(lambda text: web.Response(body=b'{"s3cret": NaN,' + text[1:])),
    ),
    "a list": (
        "response is not a JSON object",
        responding(lambda text: web.Response(body=b"[" + text + b"]")),
    ),
    "no key set": (
        'response is not a key set: {"keys": [...]}',
        responding(lambda _: web.Response(body=b'{"s3cret": []}')),
    ),
    "keys that are not a list": (
        'response is not a key set: {"keys": [...]}',
        responding(lambda _: web.Response(body=b'{"keys": "s3cret"}')),
    ),
    "over a hundred": (
        "response holds more than 100 keys",
        responding(lambda text: web.Response(body=text.replace(b"[", b"[" + 100 * b"0,"))),
    ),
}
"""Invalid responses, each with its reason in the log; many contain a valid key set."""


@define(eq=False)
class KeySetServer:
    """Publishes keys at ``url``, and others at the path that redirects lead to."""

    published: list[IssuerKey] = field(factory=list)
    redirected: list[IssuerKey] = field(factory=list)
    answer: Answer = as_it_is
    released: asyncio.Event = field(factory=asyncio.Event)
    """Responses wait until this is set; they contain the keys published at the request."""
    requests: Counter[str] = field(factory=Counter)
    fetched_at: list[float] = field(factory=list)
    """The event loop's time of each request."""
    headers: list[Mapping[str, str]] = field(factory=list)
    connection: asyncio.Transport | None = None
    """The connection of the latest request."""
    cancelled: int = 0
    """The number of requests whose client disconnected before the response."""
    _port: socket.socket = field(init=False, factory=lambda: _bound(0))
    _runner: web.AppRunner | None = field(init=False, default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port.getsockname()[1]}/keys"

    @property
    def fetches(self) -> int:
        return self.requests.total()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/{path}", self._handle)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.01
        )
        await self._runner.setup()
        await web.SockSite(self._runner, _bound(self._port.getsockname()[1])).start()

    async def stop(self) -> None:
        """Refuse all connections, but keep the port."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def send_unrequested(self) -> None:
        """Send that the connection of the latest request was idle."""
        assert self.connection is not None
        self.connection.write(IDLE_TIMEOUT)

    def close_port(self) -> None:
        self._port.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests[request.path] += 1
        self.fetched_at.append(asyncio.get_running_loop().time())
        self.headers.append(request.headers)
        self.connection = request.transport
        keys = self.redirected if request.path == "/redirected" else self.published
        text = json.dumps({"keys": [key.entry for key in keys]}).encode()
        try:
            await self.released.wait()
            return await self.answer(request, text)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


def _bound(port: int) -> socket.socket:
    """Bind a port of loopback without listening; this reserves it across restarts."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound


@asynccontextmanager
async def key_set_server(*keys: IssuerKey) -> AsyncIterator[KeySetServer]:
    """Start a server that publishes these keys."""
    server = KeySetServer([*keys])
    server.released.set()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        server.close_port()
