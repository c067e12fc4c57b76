"""Authentication services on real sockets: one that checks its questions, one that sends bytes."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import Any, Self

from aiohttp import web
from attrs import define, field, frozen
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from adapters.identity.signing_key import PrivateKey, SigningKey, parse_signing_key
from tests.sockets import will_reset

GOOD = b'{"id": "tenant-a"}'

MAKE_KEY: Mapping[str, Callable[[], PrivateKey]] = {
    "RS256": lambda: generate_rsa_key(65537, 2048),
    "ES256": lambda: generate_private_key(SECP256R1()),
    "ES384": lambda: generate_private_key(SECP384R1()),
    "ES512": lambda: generate_private_key(SECP521R1()),
    "EdDSA": Ed25519PrivateKey.generate,
}
READ_KEY: Mapping[str, Callable[[bytes], Key]] = {
    "RS": RSAKey.import_key,
    "ES": ECKey.import_key,
    "Ed": OKPKey.import_key,
}


@frozen(kw_only=True)
class KeyPair:
    """A private key as an operator gives it to us, and the half of it that the service has."""

    alg: str
    pem: bytes = field(repr=False)
    public: Key

    @classmethod
    def made(cls, alg: str = "ES256") -> Self:
        key = MAKE_KEY[alg]()
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return cls(
            alg=alg,
            pem=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            public=READ_KEY[alg[:2]](public),
        )

    @property
    def signing(self) -> SigningKey:
        return parse_signing_key(self.pem)

    def read(self, token: str) -> jwt.Token:
        """Verify a token and read it; raises what joserfc raises."""
        with warnings.catch_warnings():
            if self.alg == "EdDSA":  # RFC 9864 gave it another name, which nobody knows yet
                warnings.simplefilter("ignore", SecurityWarning)
            return jwt.decode(token, self.public, [self.alg])


@cache
def usual_keys() -> KeyPair:
    return KeyPair.made()


@frozen(kw_only=True)
class Question:
    """A question that the service has verified."""

    headers: Mapping[str, str]
    token_header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def data(self) -> Mapping[str, Any]:
        data: Mapping[str, Any] = self.claims["auth_data"]
        return data


Respond = Callable[[Question], Awaitable[web.StreamResponse]]


async def recognise(_: Question) -> web.StreamResponse:
    return web.Response(body=GOOD)


@define(kw_only=True, eq=False)
class AuthenticationService:
    """Answers as it is told the questions of whom it has the public key of, and 500 to others."""

    respond: Respond = recognise
    keys: KeyPair = field(factory=usual_keys)
    port: int = 0
    """A free one is taken, and kept when the service is started again."""
    visits: list[str] = field(init=False, factory=list)
    """Method and target of all that came, questions or not."""
    questions: list[Question] = field(init=False, factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/auth?for=us"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self.port).start()
            self.port = runner.addresses[0][1]
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.visits.append(f"{request.method} {request.path_qs}")
        token = self.keys.read(await request.text())
        headers = {name.lower(): value for name, value in request.headers.items()}
        question = Question(headers=headers, token_header=token.header, claims=token.claims)
        self.questions.append(question)
        return await self.respond(question)


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What is done with a connection, which is closed afterwards."""


async def hear(reader: asyncio.StreamReader) -> None:
    """Read a question whole, so that closing the connection resets nothing."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection as a service does that crashes."""
    will_reset(writer)
    writer.transport.abort()


@define(kw_only=True, eq=False)
class ByteService:
    """Does what no HTTP library would, a connection at a time."""

    talk: Talk
    port: int = 0
    connections: int = 0
    _talks: set[asyncio.Future[None]] = field(init=False, factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/auth"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            try:
                yield self
            finally:
                for talk in self._talks:
                    talk.cancel()
                await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        talk = asyncio.ensure_future(self.talk(reader, writer))
        self._talks.add(talk)
        await asyncio.wait({talk})
        if not talk.cancelled() and not isinstance(talk.exception(), ConnectionError | None):
            raise AssertionError from talk.exception()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
