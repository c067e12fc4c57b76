"""What callers show, for sources of identity that are asked without a server in between."""

import time
from collections.abc import Callable, Mapping

from attrs import field, frozen
from typing_extensions import override

from application.ports.authenticator import Credential, PresentedRequest


@frozen(kw_only=True)
class Presented(PresentedRequest):
    method: str = "POST"
    path: str = "/livekit/participant/mute"
    headers: Mapping[str, str] = field(factory=dict)
    members: Mapping[str, object] = field(factory=dict)
    seconds: float = 5.0
    _shown: float = field(init=False, factory=time.monotonic)

    @override
    async def body(self) -> Mapping[str, object]:
        return self.members

    @property
    @override
    def until(self) -> float:
        return self._shown + self.seconds


def showing(token: str, request: PresentedRequest | None = None) -> Callable[[], Credential]:
    """Present a token, with a request or with any."""
    return lambda: Credential(token=token, request=request or Presented())
