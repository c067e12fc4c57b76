"""What the command itself finds wrong."""


class CommandError(Exception):
    """The command did not do what was asked; the text is for the user."""


class NotSeenError(CommandError):
    """Nothing that was asked for is listed, which does not prove that it is not there."""

    def __init__(self, what: str) -> None:
        super().__init__(f"no such {what} seen; a listing can lag behind, so try again")


class StateDiffersError(CommandError):
    """LiveKit reports another state of the track than was asked for."""

    def __init__(self, *, muted: bool) -> None:
        super().__init__(f"LiveKit reports that it is {'muted' if muted else 'not muted'}")


class SomeFailedError(CommandError):
    """At least one of several tracks was not muted."""

    def __init__(self, failed: int, tracks: int) -> None:
        super().__init__(f"{failed} of {tracks} tracks failed")


class IncompleteError(CommandError):
    """Something could not be read, so that events may be missing."""

    def __init__(self, *, lines: int, files: int) -> None:
        super().__init__(
            f"events may be missing: lines that are no events: {lines},"
            f" files that could not be read to their end: {files}"
        )


class CannotWriteError(CommandError):
    """Standard output cannot be written."""

    def __init__(self, problem: str | None) -> None:
        super().__init__(f"cannot write to standard output: {problem}")


class ReaderGoneError(CannotWriteError):
    """Nobody reads standard output any more, as behind ``| head``; that is no failure."""
