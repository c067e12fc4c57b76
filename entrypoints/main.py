"""The first and the last lines of the command ``livekit-mute``.

They need little, so that signals are handled before anything else is loaded.
"""

import os
import signal
import sys
from contextlib import suppress


def main() -> None:
    """Run the command, and exit with its status."""
    if sys.argv[1:2] == ["serve"]:
        _handle_signals_during_the_start()
    else:
        _end_at_signals()
    _prepare_streams()
    from entrypoints.command import run_command  # noqa: PLC0415 - loads many modules

    _exit(run_command(sys.argv[1:]))


def _handle_signals_during_the_start() -> None:
    """Let SIGTERM and SIGINT end the process with 0, and keep SIGHUP until it can be handled.

    Where this is process 1, the system discards signals without a handler.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))


def _end_at_signals() -> None:
    """Let SIGTERM and SIGINT end the process with 128 + their number, and in silence.

    What has been written stays; a mute that was sent may still take effect.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: _exit(128 + number))


def _prepare_streams() -> None:
    """Open what is closed of descriptors 0 to 2, or else a socket would get its number.

    A closed standard error is replaced by standard output. Whoever started this process may have
    left a pipe non-blocking; what does not fit into it at once would be lost.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
        os.set_blocking(descriptor, True)
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - stays open
    if sys.stderr is None:
        sys.stderr = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115 - stays open


def _exit(status: int) -> None:
    """End the process without Python's finalization.

    That would wait for threads that are blocked, give signals their default action back, and change
    the status to 120 if a stream cannot be written.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, RuntimeError):  # the last: a signal came in a write
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
