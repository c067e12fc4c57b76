"""An aiohttp application with livekit-mute's endpoint below a prefix; see README.md."""

import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from contextvars import ContextVar
from functools import partial

import structlog
from aiohttp import web
from livekit_mute.adapters.livekit.api_key import ApiKey
from livekit_mute.adapters.livekit.room_gateway import open_gateway
from livekit_mute.application.ports.authenticator import (
    Authenticator,
    CredentialRefusedError,
    Identity,
    PresentedRequest,
)
from livekit_mute.application.room_access import RoomAccess
from livekit_mute.domain.caller import IdentifiedCaller
from livekit_mute.entrypoints.http.app import create_app
from livekit_mute.entrypoints.http.observers.request_log import request_log
from typing_extensions import override

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TENANT_OF_SESSION: Mapping[str, str] = {"session-of-ann": "tenant-a", "session-of-ben": "tenant-b"}
"""What an application keeps in its database."""
tenant_of_request: ContextVar[str | None] = ContextVar("tenant_of_request")


@web.middleware
async def find_session(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Look the session up, once for each request: the application's own authentication."""
    tenant_of_request.set(TENANT_OF_SESSION.get(request.cookies.get("session", "")))
    return await handler(request)


class SessionAuthenticator(Authenticator):
    """Identifies whoever the application's middleware has found."""

    @override
    async def authenticate(self, request: PresentedRequest) -> Identity:
        """Give the tenant of the session; without one the response is 401."""
        tenant = tenant_of_request.get()
        if tenant is None:
            raise CredentialRefusedError(reason="no session")
        return Identity(caller=IdentifiedCaller(id=tenant), source="session")

    @override
    async def verify_ready(self) -> None:
        """Return at once: there is nothing to fetch first."""


async def home(_: web.Request) -> web.Response:
    """Show that there is a session; stands for all that the application did before."""
    return web.Response(text=f"signed in as {tenant_of_request.get()}\n")


def make_app() -> web.Application:
    """Make the application, with the endpoint at /conference/livekit/participant/mute."""
    key = ApiKey(name=os.environ["LIVEKIT_API_KEY"], secret=os.environ["LIVEKIT_API_SECRET"])
    mute_app = create_app(
        open_gateway=partial(open_gateway, url=os.environ["LIVEKIT_URL"], api_key=key),
        open_authenticator=lambda: nullcontext(SessionAuthenticator()),
        make_access=lambda gateway: RoomAccess(gateway=gateway),
        observers=[request_log(structlog.get_logger())],
    )
    app = web.Application(middlewares=[find_session])
    app.router.add_get("/", home)
    app.add_subapp("/conference", mute_app)
    return app


if __name__ == "__main__":
    web.run_app(make_app(), host="127.0.0.1", port=int(os.environ.get("PORT", "8080")))
