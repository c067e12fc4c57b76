from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, nullcontext

import pytest

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.identity.api_secrets import ApiSecrets, ApiSecretsAuthenticator
from adapters.in_memory.demo import demo_room_gateway
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.ports.authenticator import Authenticator
from application.ports.rate_limiter import FailureLimiter, RateLimiter
from application.ports.room_gateway import RoomGateway
from domain.caller import TenantId
from entrypoints.http.api.context import Observer
from entrypoints.http.limits import Limits
from entrypoints.http.server.client_address import Network
from tests.entrypoints.http.delegated import CountingGateway
from tests.entrypoints.http.held import HeldGateway
from tests.support.service import QUICK, Service, running_service

DEMO_TOKEN = "secret-of-demo"
OTHER_TOKEN = "secret-of-other"

Serve = Callable[..., Awaitable[Service]]


def patient(
    *,
    headers_timeout_s: float = 3600,
    body_timeout_s: float = 3600,
    idle_timeout_s: float = 3600,
    request_timeout_s: float = 3600,
    **others: int,
) -> Limits:
    """Set limits whose timeouts are an hour, but for those that a test is about."""
    return Limits(
        leave_delay_s=0,
        headers_timeout_s=headers_timeout_s,
        body_timeout_s=body_timeout_s,
        idle_timeout_s=idle_timeout_s,
        request_timeout_s=request_timeout_s,
        **others,
    )


@pytest.fixture
def gateway() -> InMemoryRoomGateway:
    return demo_room_gateway()


@pytest.fixture
def held(gateway: InMemoryRoomGateway) -> HeldGateway:
    return HeldGateway(gateway.rooms)


@pytest.fixture
def api_secrets() -> ApiSecretsAuthenticator:
    known = ApiSecrets(
        {DEMO_TOKEN: TenantId("tenant-a"), OTHER_TOKEN: TenantId("other")},
        names={DEMO_TOKEN: "of-the-demo"},
    )
    return ApiSecretsAuthenticator(lambda: known)


@pytest.fixture
async def serve(gateway: InMemoryRoomGateway) -> AsyncIterator[Serve]:
    """Start services, over the demo's rooms unless another gateway is given."""
    async with AsyncExitStack() as stack:

        async def start(  # noqa: PLR0913 - what a service is made of
            *,
            authenticator: Authenticator | None = None,
            other_gateway: RoomGateway | None = None,
            rate_limiter: RateLimiter | None = None,
            failure_limiter: FailureLimiter | None = None,
            limits: Limits = QUICK,
            trusted_proxies: Sequence[Network] = (),
            allowed_origins: Collection[str] = (),
            observers: Sequence[Observer] = (),
            timeout_s: float = 5.0,
        ) -> Service:
            return await stack.enter_async_context(
                running_service(
                    open_gateway=lambda: nullcontext(other_gateway or gateway),
                    open_authenticator=lambda: nullcontext(
                        authenticator or AnonymousAuthenticator()
                    ),
                    open_rate_limiter=(
                        None if rate_limiter is None else lambda: nullcontext(rate_limiter)
                    ),
                    failure_limiter=failure_limiter,
                    limits=limits,
                    trusted_proxies=trusted_proxies,
                    allowed_origins=allowed_origins,
                    observers=observers,
                    timeout_s=timeout_s,
                )
            )

        yield start


@pytest.fixture
async def service(serve: Serve) -> Service:
    """Authentication off."""
    return await serve()


@pytest.fixture
async def guarded(serve: Serve, api_secrets: ApiSecretsAuthenticator) -> Service:
    """A token required."""
    return await serve(authenticator=api_secrets)


@pytest.fixture
def rooms() -> CountingGateway:
    """The demo's rooms, which count what is asked of them."""
    return CountingGateway(demo_room_gateway().rooms)
