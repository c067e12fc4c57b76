"""Events as JSON, of the log and of the audit trail."""

import json

import orjson
from structlog.typing import EventDict


def json_line(_: object, __: str, event: EventDict) -> str:
    """Render an event as one line of ASCII; fast where all its values are ASCII."""
    try:
        line = orjson.dumps(event, default=repr)
        if line.isascii():
            return line.decode()
    except TypeError:  # a lone surrogate, or an integer of more than 64 bits
        pass
    return json.dumps(event, default=repr, separators=(",", ":"))
