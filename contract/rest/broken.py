"""How a clause ends that does not hold."""


class BrokenPromiseError(Exception):
    """The server does not keep a promise."""

    def __init__(self, *, sent: str, expected: str, received: str) -> None:
        super().__init__(f"expected {expected}; received {received}")
        self.sent, self.expected, self.received = sent, expected, received


class NotKnownError(Exception):
    """Whether the server keeps a promise is not known; the text says why."""


class NotArrangedError(NotKnownError):
    """The LiveKit double did not do what a clause needs."""


class NotSeenError(NotKnownError):
    """The server did not do what a clause needs before it can see anything."""
