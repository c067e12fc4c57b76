"""The exit statuses of the command; ``docs/command.md`` lists them."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """How a command ended; scripts rely on the numbers, and on the names in ``--json``."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    ROOM_NOT_FOUND = 3
    PARTICIPANT_NOT_FOUND = 4
    TRACK_NOT_FOUND = 5
    NOT_SEEN = 6
    LIVEKIT_UNAVAILABLE = 7
    LIVEKIT_REFUSED = 8
    REMOTE_UNMUTE_DISABLED = 9
    LIVEKIT_NOT_CONFIGURED = 10
    STATE_DIFFERS = 11
    SOME_FAILED = 12
    INCOMPLETE = 13
    INTERRUPTED = 130
    READER_GONE = 141
    TERMINATED = 143
