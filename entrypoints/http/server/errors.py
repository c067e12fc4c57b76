"""What can be wrong with any HTTP request; the application turns it into a response."""


class RequestError(Exception):
    """A request that is not carried out; the text is for its client to read."""


class MalformedHttpError(RequestError):
    """The request is not well-formed HTTP; where the next one begins is unknown."""


class UnsupportedExpectError(MalformedHttpError):
    """The client expects something that this server does not do."""

    def __init__(self) -> None:
        super().__init__("the only supported Expect is 100-continue")


class ClientDisconnectedError(RequestError):
    """The client disconnected before its request was complete; nobody reads the response."""


class OverloadedError(RequestError):
    """Too many requests are in flight, or the server has stopped serving.

    Attributes:
        reason: why, for the operator's log, where the client is not told all of it.
    """

    def __init__(self, problem: str, *, reason: str = "") -> None:
        super().__init__(f"{problem}; retry later")
        self.reason = f"{reason or problem}; retry later"
