"""What ``serve --gateway in-memory`` prints for a newcomer: a command to paste."""

import json

from yarl import URL

from entrypoints.container import Container

_CONNECT_TO = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}  # noqa: S104 - compared, not bound


def demo_text(container: Container, url: URL) -> str:
    """Write the command that mutes the demo's track in the service at ``url``."""
    demo, auth = container.demo(), container.settings().auth
    body = json.dumps(
        {
            "room_name": demo.participant.room,
            "participant_identity": demo.participant.identity,
            "track_sid": demo.track_sid,
            "muted": True,
        }
    )
    address = url.with_host(_CONNECT_TO.get(url.host or "", url.host or ""))
    token = '-H "Authorization: Bearer $TOKEN" ' if auth.required else ""
    only_secrets = auth.required and not auth.tokens and not auth.service
    unowned = only_secrets and demo.tenant not in auth.api_secrets.tenants.values()
    hint = f" No secret has that id; set AUTH_API_SECRET_ID={demo.tenant}." if unowned else ""
    page = f"or in a browser, at {address}/docs\n\n" if container.settings().docs_page else ""
    return (
        f"This is the in-memory demo, without LiveKit. Its room belongs to tenant"
        f" {demo.tenant}.{hint} Try:\n\n"
        f"curl '{address}/livekit/participant/mute' -H 'Content-Type: application/json' {token}"
        f"-d '{body}'\n\n"
        f"{page}"
    )
