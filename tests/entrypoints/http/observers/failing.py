"""Every way in which a request can fail in its authentication, or after it."""

from collections.abc import Callable, Sequence

from attrs import frozen
from typing_extensions import override

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.ports.authenticator import (
    Authenticator,
    AuthenticatorUnavailableError,
    AuthenticatorUnusableError,
    CredentialRefusedError,
    Identity,
    PresentedRequest,
)
from application.ports.room_gateway import (
    RemoteUnmuteDisabledError,
    RoomGatewayNotConfiguredError,
    RoomGatewayRefusedError,
    RoomGatewayUnavailableError,
)
from domain.room import RoomNotFoundError, RoomNotFoundReason
from domain.track import (
    Participant,
    ParticipantNotFoundError,
    Track,
    TrackNotFoundError,
    TrackSid,
)
from entrypoints.http.api.errors import PayloadTooLargeError, RequestTimeoutError
from entrypoints.http.server.errors import OverloadedError

AFTER_AUTHENTICATION: Sequence[Callable[[], Exception]] = (
    lambda: RoomNotFoundError(RoomNotFoundReason.FOREIGN),
    ParticipantNotFoundError,
    TrackNotFoundError,
    lambda: RoomGatewayNotConfiguredError(missing=("LIVEKIT_URL",)),
    RemoteUnmuteDisabledError,
    lambda: RoomGatewayUnavailableError(reason="no answer before the deadline"),
    lambda: RoomGatewayRefusedError(reason="answered 401"),
    lambda: ZeroDivisionError("s3cret"),
)
IN_AUTHENTICATION: Sequence[Callable[[], Exception]] = (
    lambda: CredentialRefusedError(reason="expired"),
    lambda: CredentialRefusedError(reason="expired", source="signed-tokens", credential="2026-05"),
    lambda: AuthenticatorUnavailableError(reason="no answer before the deadline"),
    lambda: AuthenticatorUnusableError(reason="status 500"),
    lambda: OverloadedError("the service is shutting down; retry later"),
    lambda: RequestTimeoutError("the body did not arrive in time"),
    lambda: PayloadTooLargeError("the body is too large"),
)


@frozen
class FaultyGateway(InMemoryRoomGateway):
    """Raises at a mute, or without an error reports another state than the requested one."""

    error: Exception | None = None

    @override
    async def mute_track(
        self,
        participant: Participant,
        track_sid: TrackSid,
        *,
        muted: bool,
        room_was_read: bool,
        deadline: float,
    ) -> Track:
        if self.error is not None:
            raise self.error
        return Track(sid=track_sid, muted=not muted)


@frozen
class FailingAuthenticator(Authenticator):
    error: Exception

    @override
    async def authenticate(self, request: PresentedRequest) -> Identity:
        raise self.error

    @override
    async def verify_ready(self) -> None:
        """Return at once."""
