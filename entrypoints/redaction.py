"""Last line of defence: redact secrets that reach the log by mistake.

Redacted is whatever has the shape of a token or a private key, anywhere in a value; and a secret
of this service where it is the whole value, or a segment of a path. A name that a caller chose may
have such a shape on purpose, so its digest is logged beside it.
"""

import re
from collections.abc import Callable

from structlog.typing import EventDict, Processor

from entrypoints.digest import name_digest

_REDACTED = "[secret]"
_SIGNS = ("eyJ", "earer ", "asic ", "api_key=", "PRIVATE KEY")
"""What every shape contains one of, in characters that no renderer escapes."""
_SHAPES = re.compile(
    r"eyJ[\w-]{8,}\.[\w.-]*"  # a signed token, or the beginning of one
    r"|[Bb]earer +[^\s<]\S*"  # but not "Bearer <token>"
    r"|[Bb]asic +[^\s<]\S*"
    r"|api_key=[^\s&]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*",
    re.DOTALL,
)

_NAMES = frozenset({"caller_id", "participant", "request_id", "room", "track"})
"""Fields that callers choose the value of."""
_PLAIN = frozenset({str, int, float, bool, type(None)})
"""Types whose values have, when rendered, every sign that they contain."""


def redacting(
    renderer: Processor, secrets: Callable[[], frozenset[str]], *, alters_text: bool = False
) -> Processor:
    """Make the last processor of a chain; ``secrets`` returns those known at the time of a call.

    Most events have plain values and no sign of a secret: these are rendered as they are, unless
    the renderer ``alters_text``, and so may break a sign apart.
    """

    def processor(logger: object, method: str, event: EventDict) -> str:
        known, values = secrets(), event.values()
        segments = str(event.get("path", "")).split("/")
        if not known.isdisjoint(segments):
            event["path"] = "/".join(_REDACTED if each in known else each for each in segments)
        elif not alters_text and _PLAIN.issuperset(map(type, values)) and known.isdisjoint(values):
            line = str(renderer(logger, method, event))
            for sign in _SIGNS:  # any() takes twice as long
                if sign in line:
                    break
            else:
                return line
        for name, value in tuple(event.items()):
            redacted = _redact(value, known)
            if redacted is not value:
                event[name] = redacted
                # A secret of this service may be weak, and so be guessed from its digest.
                if name in _NAMES and value not in known:
                    event.setdefault(f"{name}_sha256", name_digest(str(value)))
        return str(renderer(logger, method, event))

    return processor


def _redact(value: object, known: frozenset[str]) -> object:
    if isinstance(value, str):
        text = value
    elif value is None or isinstance(value, int | float):
        return value
    elif isinstance(value, list):
        return [_redact(each, known) for each in value]
    else:
        text = repr(value)
    if text in known:
        return _REDACTED
    redacted = _SHAPES.sub(_REDACTED, text)
    return value if redacted == text else redacted
