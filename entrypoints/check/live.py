"""``livekit-mute check --live``: whether the service on this machine answers, for a health check.

Loads next to nothing, since an image's health check runs every few seconds.
"""

import http.client
import os
import signal
from typing import NoReturn

from entrypoints.cli.exit_status import ExitStatus
from entrypoints.cli.output import complain

DEFAULTS = {"HOST": "127.0.0.1", "PORT": "3001"}
_TIMEOUT_S = 3.0
_OK = 200


def check_live() -> int:
    """Ask the service at HOST and PORT whether its process is alive; return the exit status."""
    host, port = (os.environ.get(name) or default for name, default in DEFAULTS.items())
    signal.signal(signal.SIGALRM, _give_up)
    signal.setitimer(signal.ITIMER_REAL, _TIMEOUT_S)
    try:
        # Every address, 0.0.0.0 or ::, is this machine for who connects to it.
        connection = http.client.HTTPConnection(host, int(port))
        connection.request("GET", "/livez")
        status = connection.getresponse().status
    except (OSError, ValueError, http.client.HTTPException) as error:
        complain(f"the service at {host}, port {port}, does not answer: {_cause(error)}")
        return ExitStatus.UNEXPECTED
    if status == _OK:
        return ExitStatus.DONE
    complain(f"the service at {host}, port {port}, answers /livez with {status}")
    return ExitStatus.UNEXPECTED


def _give_up(*_: object) -> NoReturn:
    """End the check, for which a timeout of the socket is not enough: each byte restarts that."""
    raise TimeoutError("timed out")


def _cause(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
