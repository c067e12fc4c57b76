"""A reload of all workers in two phases: all of them use the new settings, or none does."""

import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue

from attrs import define, field

from entrypoints.reload import Reload
from entrypoints.settings.environment import SettingsError
from entrypoints.settings.files import FileVersions, versions_of
from entrypoints.settings.settings import Settings
from entrypoints.workers.channel import Abort, Channel, Commit, Prepare, Reopen

_LATE = "one of them does not answer; send SIGHUP again once it has been replaced"


@define(kw_only=True, eq=False)
class Reloads:
    """Loads the settings once, has every worker prepare them, and then use them.

    Attributes:
        reload: loads, uses and logs them in the supervisor.
        channels: returns those of the workers there are.
        wake_up: called by the thread that loads, since a file server may hang.
        later: calls a function after some seconds.
        patience_s: how long to wait for the workers.
        known: the files that settings name, as they were just before they were last read.
    """

    reload: Reload
    channels: Callable[[], Iterable[Channel]]
    wake_up: Callable[[], None]
    later: Callable[[float, Callable[[], None]], object]
    patience_s: float
    known: FileVersions
    _loaded: "SimpleQueue[Settings | Exception]" = field(init=False, factory=SimpleQueue)
    _settings: Settings | None = field(init=False, default=None)
    _waiting: set[Channel] = field(init=False, factory=set)
    _number: int = field(init=False, default=0)
    _busy: bool = field(init=False, default=False)
    _again: bool = field(init=False, default=False)

    def begin(self) -> None:
        """Reload, or do so once more after the reload that is under way."""
        if self._busy:
            self._again = True
            return
        self._busy = True
        for channel in self.channels():
            channel.send(Reopen())
        threading.Thread(target=self._load, daemon=True).start()

    def _load(self) -> None:
        try:
            self.known = versions_of(self.known)
            self._loaded.put(self.reload.load())
        except Exception as error:  # noqa: BLE001 - the main thread tells of it
            self._loaded.put(error)
        self.wake_up()

    def go_on(self) -> None:
        """Ask all workers to prepare, once the settings are loaded."""
        if self._loaded.empty():
            return
        loaded = self._loaded.get()
        if isinstance(loaded, Exception):
            self._fail(loaded)
            return
        self._settings = loaded
        self._number += 1
        message = Prepare(self._number, loaded)
        self._waiting = {channel for channel in self.channels() if channel.send(message)}
        number = self._number
        self.later(self.patience_s, lambda: self._give_up(number))
        self._commit_if_all_are_prepared()

    def prepared(self, channel: Channel, number: int) -> None:
        """Note that a worker is prepared."""
        if number == self._number:
            self.gone(channel)

    def gone(self, channel: Channel) -> None:
        """Wait for this worker no more."""
        self._waiting.discard(channel)
        self._commit_if_all_are_prepared()

    def joined(self, channel: Channel) -> None:
        """Let a worker that was forked meanwhile take part."""
        if self._settings is not None and channel.send(Prepare(self._number, self._settings)):
            self._waiting.add(channel)

    def _commit_if_all_are_prepared(self) -> None:
        if self._settings is None or self._waiting:
            return
        settings, self._settings = self._settings, None
        for channel in self.channels():
            channel.send(Commit(self._number))
        self.reload.use(settings)
        self._end()

    def _give_up(self, number: int) -> None:
        if number == self._number and self._settings is not None:
            self._settings = None
            self._fail(SettingsError("WORKERS", _LATE))

    def _fail(self, error: Exception) -> None:
        for channel in self.channels():
            channel.send(Abort())
        self.reload.fail(error)
        self._end()

    def _end(self) -> None:
        self._busy = False
        if self._again:
            self._again = False
            self.begin()
