"""``serve --gateway in-memory``: two tenants for a newcomer, and commands to paste."""

import json
from collections.abc import Mapping

from yarl import URL

from entrypoints.container import Container

_CONNECT_TO = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}  # noqa: S104 - compared, not bound
_SECRETS = {"tenant-a": "demo-secret-a", "tenant-b": "demo-secret-b"}
"""Known to all who read this: for rooms that exist in memory only."""


def with_demo_tenants(variables: Mapping[str, str]) -> Mapping[str, str]:
    """Add API secrets of two tenants to the environment variables of a demo.

    Not where a variable sets something of authentication.
    """
    if any(name.startswith("AUTH_") for name in variables):
        return variables
    entries = [{"id": tenant, "secret": secret} for tenant, secret in _SECRETS.items()]
    return {**variables, "AUTH_API_SECRETS_JSON": json.dumps(entries)}


def demo_text(container: Container, url: URL) -> str:
    """Write what to try in the service at ``url``: commands that mute the demo's track."""
    demo, settings = container.demo(), container.settings()
    address = url.with_host(_CONNECT_TO.get(url.host or "", url.host or ""))
    known = settings.auth.api_secrets.tenants
    page = f"or in a browser, at {address}/docs\n\n" if settings.docs_page else ""
    if known == {secret: tenant for tenant, secret in _SECRETS.items()}:
        owner, other = _SECRETS
        return (
            f"This is the in-memory demo, without LiveKit. Its room belongs to {owner}. Mute a"
            f" microphone in it:\n\n{_curl(container, address, token=_SECRETS[owner])}"
            f"The same request by {other} gets 404, as if there were no such room:\n\n"
            f"{_curl(container, address, token=_SECRETS[other])}{page}"
        )
    only_secrets = settings.auth.required and not settings.auth.tokens and not settings.auth.service
    unowned = only_secrets and demo.tenant not in known.values()
    hint = f" No secret has that id; set AUTH_API_SECRET_ID={demo.tenant}." if unowned else ""
    token = "$TOKEN" if settings.auth.required else ""
    return (
        f"This is the in-memory demo, without LiveKit. Its room belongs to tenant"
        f" {demo.tenant}.{hint} Try:\n\n{_curl(container, address, token=token)}{page}"
    )


def _curl(container: Container, address: URL, *, token: str) -> str:
    """Write a command that mutes the demo's track; the shell replaces a ``$TOKEN``."""
    demo = container.demo()
    body = {
        "room_name": demo.participant.room,
        "participant_identity": demo.participant.identity,
        "track_sid": demo.track_sid,
        "muted": True,
    }
    header = f'-H "Authorization: Bearer {token}" ' if token else ""
    return (
        f"curl '{address}/livekit/participant/mute' -H 'Content-Type: application/json'"
        f" {header}-d '{json.dumps(body)}'\n\n"
    )
