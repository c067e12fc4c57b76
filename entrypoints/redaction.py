"""The last line of defence of what is secret: nothing hands it to the log, and if something did.

Hidden is what looks like a token or a private key, wherever in a value; and a secret of this
service where it is the whole of a value.
"""

import re
from collections.abc import Callable

from structlog.typing import EventDict, Processor

_HIDDEN = "[secret]"
_SIGNS = ("eyJ", "earer ", "asic ", "api_key=", "PRIVATE KEY")
"""What no shape is without; to look for these first costs a fiftieth."""
_SHAPES = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]*\.[\w-]*"  # a signed token
    r"|[Bb]earer +[^\s<]\S*"  # but for "Bearer <token>"
    r"|[Bb]asic +[^\s<]\S*"
    r"|api_key=[^\s&]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*",
    re.DOTALL,
)


def redacting(renderer: Processor, secrets: Callable[[], frozenset[str]]) -> Processor:
    """Make the processor that ends the chain; ``secrets`` gives those of the time of an event."""

    def processor(logger: object, method: str, event: EventDict) -> str:
        hidden = secrets()
        for name, value in event.items():
            if isinstance(value, str) and value in hidden:
                event[name] = _HIDDEN
        line = str(renderer(logger, method, dict(event)))
        if any(sign in line for sign in _SIGNS):
            shown = {name: _without_shapes(value) for name, value in event.items()}
            line = str(renderer(logger, method, shown))
        return line

    return processor


def _without_shapes(value: object) -> object:
    if isinstance(value, list):
        return [_without_shapes(each) for each in value]
    text = value if isinstance(value, str) else repr(value)
    hidden = _SHAPES.sub(_HIDDEN, text)
    return value if hidden == text else hidden
