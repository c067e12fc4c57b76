"""The endpoint that is tested: what a clause sends to it."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

from attrs import define, field, frozen

from contract.rest.answer import Answer
from contract.rest.arranging import LiveKit
from contract.rest.connection import Address, Connection, Patience

MUTE = "/livekit/participant/mute"
JSON = "Content-Type: application/json"
_PLAIN = ("host:", "content-length:", JSON.lower())
_SHOWN = 200  # characters of a request


@frozen(kw_only=True)
class Tenant:
    """A caller that the server under test knows."""

    id: str
    token: str = field(repr=False)

    @property
    def bearer(self) -> str:
        """The header that authenticates it."""
        return f"Authorization: Bearer {self.token}"


@define(kw_only=True, slots=False)
class Endpoint:
    """The server under test, two of its tenants, and the LiveKit double behind it."""

    address: Address
    livekit: LiveKit
    tenants: Sequence[Tenant]
    patience: Patience

    @property
    def tenant(self) -> Tenant:
        """The tenant that most clauses call as."""
        return self.tenants[0]

    @property
    def stranger(self) -> Tenant:
        """Another tenant."""
        return self.tenants[1]

    def mute(self, body: object, *, tenant: Tenant | None = None) -> Answer:
        """Send a mute as a tenant."""
        return self.post(json.dumps(body).encode(), tenant=tenant)

    def post(
        self,
        body: bytes,
        *lines: str,
        kind: str | None = JSON,
        tenant: Tenant | None = None,
        target: str = MUTE,
    ) -> Answer:
        """Send any body to the mute's path as a tenant, with more header lines."""
        given = [(tenant or self.tenant).bearer, *([kind] if kind else []), *lines]
        return self.ask("POST", target, *given, body=body)

    def ask(self, method: str, target: str, *lines: str, body: bytes | None = None) -> Answer:
        """Send a request with these header lines, and no credentials beside them."""
        return self.send(self.request(method, target, *lines, body=body), method=method)

    def request(self, method: str, target: str, *lines: str, body: bytes | None = None) -> bytes:
        """Write a well-formed request."""
        sized = [] if body is None else [f"Content-Length: {len(body)}"]
        return self.written(self.first_line(method, target), *lines, *sized, body=body or b"")

    def first_line(self, method: str, target: str) -> str:
        """Return a request line, with the path in front of the endpoint's paths."""
        return f"{method} {self.address.url.path.rstrip('/')}{target} HTTP/1.1"

    def written(self, first_line: str, *lines: str, body: bytes = b"") -> bytes:
        """Write a request from its lines, to this host."""
        head = [first_line, f"Host: {self.address.host_header}", *lines, "", ""]
        return "\r\n".join(head).encode("latin-1") + body

    def send(self, request: bytes, *, method: str = "POST", patience: float = 1.0) -> Answer:
        """Send any bytes on a connection of their own, and read one answer."""
        with self.connect(request) as connection:
            connection.send(request)
            return connection.read(self.show(request), method=method, patience=patience)

    @contextmanager
    def connect(self, request: bytes) -> Iterator[Connection]:
        """Connect, in order to send a request."""
        with self.address.connect(self.patience, self.show(request)) as connection:
            yield connection

    def show(self, request: bytes) -> str:
        """Return a request as a person may read it, without the tenants' tokens."""
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        told = [line for line in lines if not line.lower().startswith(_PLAIN)]
        text = "; ".join([_short(first), *map(_short, told)])
        text = f"{text} {_short(body.decode(errors='backslashreplace'))}".strip()
        for tenant in self.tenants:
            text = text.replace(tenant.token, f"<token of {tenant.id}>")
        return text

    @cached_property
    def slow_body(self) -> Answer:
        """The answer to a body of which a part never comes; several clauses look at it."""
        lines = (self.tenant.bearer, JSON, "Content-Length: 100")
        target = self.request("POST", MUTE, *lines)
        return self.send(target + b'{"room_name": ', patience=2.0)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"
