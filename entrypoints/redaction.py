"""The last line of defence of what is secret: nothing hands it to the log, and if something did.

Hidden is what looks like a token or a private key, anywhere in a line; and a secret of this
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
    r"|[Bb]earer +[!#-&(-~]+"  # up to a blank or a quotation mark
    r"|[Bb]asic +[!#-&(-~]+"
    r"|api_key=[!#-%(-~]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^\"']*"
)


def redacting(renderer: Processor, secrets: Callable[[], frozenset[str]]) -> Processor:
    """Make the processor that ends the chain; ``secrets`` gives those of the time of an event."""

    def processor(logger: object, method: str, event: EventDict) -> str:
        hidden = secrets()
        for name, value in event.items():
            if isinstance(value, str) and value in hidden:
                event[name] = _HIDDEN
        line = str(renderer(logger, method, event))
        return _SHAPES.sub(_HIDDEN, line) if any(sign in line for sign in _SIGNS) else line

    return processor
