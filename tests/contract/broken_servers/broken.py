"""What a broken server is: the service, with one change of its requests or replies."""

from collections.abc import Callable

from attrs import evolve, frozen

from contract.rest.endpoint import Endpoint
from tests.contract.broken_servers.messages import Change, Reply, Sent
from tests.contract.broken_servers.proxy import Proxy, same_reply, same_request

When = Callable[[Sent, Reply], bool]


@frozen(kw_only=True)
class Broken:
    """How a server breaks a promise, and the clauses that notice.

    Attributes:
        breaks: the numbers of exactly those clauses.
        holds: whether it never closes a connection.
        change_reply: makes the change of replies, anew for each clause, so that it may remember.
    """

    breaks: str
    holds: bool = False
    change_request: Callable[[Endpoint, Sent], bytes] | None = None
    change_reply: Callable[[Endpoint], Change] | None = None

    def install(self, proxy: Proxy, endpoint: Endpoint) -> None:
        """Let a proxy break the promise from now on."""
        change, proxy.holds = self.change_request, self.holds
        proxy.request = (lambda sent: change(endpoint, sent)) if change else same_request
        proxy.reply = self.change_reply(endpoint) if self.change_reply else same_reply

    @property
    def numbers(self) -> set[str]:
        return set(self.breaks.split())


def replies(breaks: str, when: When, change: Callable[[Reply], Reply]) -> Broken:
    """Make a server that changes some of its replies."""

    def apply(sent: Sent, reply: Reply) -> Reply:
        return change(reply) if when(sent, reply) else reply

    return Broken(breaks=breaks, change_reply=lambda _: apply)


def status_is(breaks: str, when: When, status: int) -> Broken:
    """Make a server that gives some of its replies another status."""
    return replies(breaks, when, lambda reply: evolve(reply, status=status))


def requests(breaks: str, change: Callable[[Endpoint, Sent], bytes]) -> Broken:
    """Make a server that reads some of its requests in another way."""
    return Broken(breaks=breaks, change_request=change)


def lenient(breaks: str, when: Callable[[Sent], bool]) -> Broken:
    """Make a server that goes on where a mute is to be rejected with 400, and finds no room."""
    return status_is(breaks, lambda sent, reply: reply.status == 400 and when(sent), 404)


def coded(code: str) -> When:
    """Return whether a reply has this code."""
    return lambda _, reply: reply.code == code


def with_body(sent: Sent, body: bytes) -> bytes:
    """Write the request again with another body."""
    old = f"Content-Length: {len(sent.body)}"
    head = sent.head.replace(old, f"Content-Length: {len(body)}")
    return head.encode("latin-1") + b"\r\n\r\n" + body


def with_head(sent: Sent, head: str) -> bytes:
    """Write the request again with another head."""
    return head.encode("latin-1") + b"\r\n\r\n" + sent.body
