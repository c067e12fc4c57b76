"""``livekit-mute secret``."""

import json
import secrets

from domain.caller import TenantId
from entrypoints.cli.output import write_line

_BYTES = 32


def write_secret(tenant: TenantId) -> None:
    """Write a new API secret of 256 random bits, and the setting that gives it to the tenant."""
    secret = secrets.token_hex(_BYTES)
    write_line(secret)
    write_line(json.dumps([{"id": tenant, "secret": secret}]))
