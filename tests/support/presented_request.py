"""Requests for sources of identity that a test calls without a server."""

import asyncio
from collections.abc import Mapping

from attrs import field, frozen
from typing_extensions import override

from application.ports.authenticator import PresentedRequest


def _now() -> float:
    return asyncio.get_running_loop().time()


@frozen(kw_only=True)
class StaticRequest(PresentedRequest):
    """A request of given parts; a token or body that is an error is raised.

    Its deadline is ``timeout_s`` after it was made.
    """

    _token: str | Exception = field(default="s3cret-token", repr=False)
    method: str = "POST"
    path: str = "/livekit/participant/mute"
    headers: Mapping[str, str] = field(factory=dict)
    _body: Mapping[str, object] | Exception = field(factory=dict)
    _timeout_s: float = 1e6
    _created: float = field(init=False, factory=_now)

    @property
    @override
    def token(self) -> str:
        if isinstance(self._token, Exception):
            raise self._token
        return self._token

    @override
    async def body(self) -> Mapping[str, object]:
        if isinstance(self._body, Exception):
            raise self._body
        return self._body

    @property
    @override
    def deadline(self) -> float:
        return self._created + self._timeout_s
