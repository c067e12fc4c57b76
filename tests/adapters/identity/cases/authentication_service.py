"""Authentication services on real sockets: one that verifies requests, one that sends bytes."""

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
from tests.support.connection_handlers import ConnectionHandler

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
    """The private key that an operator configures, and the public key that the service has."""

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
        """Verify and parse a token; raises what joserfc raises."""
        with warnings.catch_warnings():
            if self.alg == "EdDSA":  # renamed by RFC 9864, but still in common use
                warnings.simplefilter("ignore", SecurityWarning)
            return jwt.decode(token, self.public, [self.alg])


@cache
def usual_keys() -> KeyPair:
    return KeyPair.made()


@frozen(kw_only=True)
class AuthRequest:
    """A request that the service has verified."""

    headers: Mapping[str, str]
    token_header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def data(self) -> Mapping[str, Any]:
        data: Mapping[str, Any] = self.claims["auth_data"]
        return data


Respond = Callable[[AuthRequest], Awaitable[web.StreamResponse]]


async def accept(_: AuthRequest) -> web.StreamResponse:
    return web.Response(body=GOOD)


@define(kw_only=True, eq=False)
class AuthenticationService:
    """Responds with ``respond`` to requests that its public key verifies, else with 500."""

    respond: Respond = accept
    keys: KeyPair = field(factory=usual_keys)
    port: int = 0
    """A free port, which stays the same when the service is started again."""
    targets: list[str] = field(init=False, factory=list)
    """Method and target of each request, verified or not."""
    requests: list[AuthRequest] = field(init=False, factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/auth?for=us"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self.port).start()
            self.port = runner.addresses[0][1]
            yield self
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.targets.append(f"{request.method} {request.path_qs}")
        token = self.keys.read(await request.text())
        headers = {name.lower(): value for name, value in request.headers.items()}
        auth_request = AuthRequest(headers=headers, token_header=token.header, claims=token.claims)
        self.requests.append(auth_request)
        return await self.respond(auth_request)


@define(kw_only=True, eq=False)
class ByteService:
    """Runs ``handle`` on each connection: it may send what no HTTP library would."""

    handle: ConnectionHandler
    port: int = 0
    connections: int = 0
    _tasks: set[asyncio.Future[None]] = field(init=False, factory=set)

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
                for task in self._tasks:
                    task.cancel()
                await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.ensure_future(self.handle(reader, writer))
        self._tasks.add(task)
        await asyncio.wait({task})
        if not task.cancelled() and not isinstance(task.exception(), ConnectionError | None):
            raise AssertionError from task.exception()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
