"""The command, in a process that sends itself a signal at a chosen call of a function.

    python -m tests.support.signalled SIGNAL FUNCTION CALLS serve ...
    python -m tests.support.signalled count FUNCTION LAST_FUNCTION serve ...

The signal comes CALLS calls of Python functions after the first call of FUNCTION, so that it does
not depend on how fast the machine is. ``count`` prints how many calls there are until LAST_FUNCTION
is called, and ends the process there.
"""

import os
import sys
from types import FrameType

from entrypoints.main import main


class Profile:
    def __init__(self, what: str, function: str, until: str) -> None:
        self._what, self._function, self._until = what, function, until
        self._calls = -1

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call" or (self._calls < 0 and frame.f_code.co_qualname != self._function):
            return
        self._calls += 1
        if self._what == "count":
            if frame.f_code.co_qualname == self._until:
                os.write(1, f"{self._calls}\n".encode())
                os._exit(0)
        elif self._calls == int(self._until):
            os.kill(os.getpid(), int(self._what))


if __name__ == "__main__":
    what, function, until = sys.argv[1:4]
    sys.argv[1:4] = []
    sys.setprofile(Profile(what, function, until))
    main()
