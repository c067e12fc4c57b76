"""How a clause ends that does not hold."""


class BrokenPromiseError(Exception):
    """The server does not keep a promise."""

    def __init__(self, *, sent: str, expected: str, received: str) -> None:
        super().__init__(f"expected {expected}; received {received}")
        self.sent, self.expected, self.received = sent, expected, received


class NotArrangedError(Exception):
    """The LiveKit double did not do what a clause needs, so that nothing is known of it."""
