"""gunicorn's configuration, of which nothing is read from elsewhere."""

import os
from collections.abc import Callable, Mapping

from gunicorn.app.base import BaseApplication
from typing_extensions import override

from entrypoints.workers.arbiter_log import ArbiterLog
from entrypoints.workers.worker import ServiceWorker

_MEMORY = "/dev/shm"  # noqa: S108 - where the root file system may be read-only

Hook = Callable[[object, ServiceWorker], None]
"""Called with the arbiter and a worker."""


class Configuration(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """What gunicorn calls an application, which is to say how it is configured.

    Args:
        workers: how many there are at first.
        before_fork: called in the supervisor, before a worker is forked.
        in_child: called in the worker, after that.
    """

    def __init__(self, *, workers: int, before_fork: Hook, in_child: Hook) -> None:
        self._values: Mapping[str, object] = {
            "workers": workers,
            "worker_class": ServiceWorker,
            "logger_class": ArbiterLog,
            "control_socket_disable": True,  # services of one user would share it
            "pre_fork": before_fork,
            "post_fork": in_child,
            **({"worker_tmp_dir": _MEMORY} if os.access(_MEMORY, os.W_OK) else {}),
        }
        super().__init__()

    @override
    def load_config(self) -> None:
        for name, value in self._values.items():
            self.cfg.set(name, value)
