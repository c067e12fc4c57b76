"""A reload in two phases, with workers that answer, do not, come and go."""

import time
from collections.abc import Callable, Iterator, Sequence

import pytest
import structlog
from attrs import define, field
from structlog.testing import LogCapture

from entrypoints.container import Container
from entrypoints.reload import Reload
from entrypoints.settings.environment import SettingsError
from entrypoints.settings.settings import Settings, load_settings
from entrypoints.workers.channel import Abort, Channel, Commit, Prepare, Reopen
from entrypoints.workers.reloads import Reloads
from tests.support.command import TIMEOUT_S

NEW = load_settings({"AUTH_API_SECRET": "new"})


@define
class Supervised:
    """A reload with workers that a test answers for."""

    load: Callable[[], Settings] = lambda: NEW
    opened: list[Channel] = field(factory=list)
    ends: list[tuple[Channel, Channel]] = field(factory=list)
    loaded: list[bool] = field(factory=list)
    outcomes: list[bool] = field(factory=list)
    due: list[Callable[[], None]] = field(factory=list)
    log: LogCapture = field(factory=LogCapture)
    container: Container = field(factory=lambda: Container(settings=load_settings({})))
    reloads: Reloads = field(init=False)

    @reloads.default
    def _reloads(self) -> Reloads:
        log = structlog.wrap_logger(None, processors=[self.log])
        return Reloads(
            reload=Reload(
                container=self.container,
                load=lambda: self.load(),  # noqa: PLW0108 - a test may replace it
                log=log,
                reopen=lambda: None,
                observer=self,
            ),
            channels=lambda: [own for own, _ in self.ends],
            wake_up=lambda: self.loaded.append(True),
            later=lambda _, action: self.due.append(action),
            patience_s=1,
            known={},
        )

    def __attrs_post_init__(self) -> None:
        self.join()
        self.join()

    def join(self) -> Channel:
        """Add a worker; return the supervisor's end."""
        pair = Channel.pair()
        self.ends.append(pair)
        self.opened += pair
        return pair[0]

    def reloaded(self, *, ok: bool) -> None:
        self.outcomes.append(ok)

    def begin(self) -> None:
        self.reloads.begin()
        deadline = time.monotonic() + TIMEOUT_S
        while not self.loaded:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        self.loaded.clear()
        self.reloads.go_on()

    def told(self, worker: int) -> Sequence[type[object]]:
        """Return the kinds of messages that a worker has got since the last time."""
        messages = list(iter(self.ends[worker][1].receive, None))
        return [type(each) for each in messages]


@pytest.fixture
def supervised() -> Iterator[Supervised]:
    supervised = Supervised()
    yield supervised
    for end in supervised.opened:
        end.close()


class TestReloads:
    def test_commits_once_all_are_prepared(self, supervised: Supervised) -> None:
        supervised.begin()
        first, second = (own for own, _ in supervised.ends)
        supervised.reloads.prepared(first, 1)
        assert supervised.told(0) == [Reopen, Prepare]
        assert supervised.container.settings() != NEW
        supervised.reloads.prepared(second, 1)
        assert supervised.told(0) == [Commit]
        assert supervised.told(1) == [Reopen, Prepare, Commit]
        assert supervised.container.settings() == NEW
        assert supervised.outcomes == [True]

    def test_is_given_up_for_all_where_one_does_not_answer(self, supervised: Supervised) -> None:
        before = supervised.container.settings()
        supervised.begin()
        supervised.reloads.prepared(supervised.ends[0][0], 1)
        [give_up] = supervised.due
        give_up()
        give_up()
        assert supervised.told(0) == supervised.told(1) == [Reopen, Prepare, Abort]
        assert supervised.container.settings() == before
        assert supervised.outcomes == [False]
        [event] = supervised.log.entries
        assert event["reason"].startswith("WORKERS: ")
        supervised.reloads.prepared(supervised.ends[1][0], 1)
        assert supervised.container.settings() == before

    def test_does_not_wait_for_one_that_has_ended(self, supervised: Supervised) -> None:
        supervised.begin()
        ended, _ = supervised.ends.pop()
        supervised.reloads.prepared(supervised.ends[0][0], 1)
        supervised.reloads.gone(ended)
        assert supervised.told(0) == [Reopen, Prepare, Commit]

    def test_lets_one_take_part_that_is_forked_meanwhile(self, supervised: Supervised) -> None:
        supervised.begin()
        supervised.reloads.joined(supervised.join())
        for own, _ in supervised.ends[:2]:
            supervised.reloads.prepared(own, 1)
        assert supervised.told(2) == [Prepare]
        supervised.reloads.prepared(supervised.ends[2][0], 1)
        assert supervised.told(2) == [Commit]
        supervised.reloads.joined(supervised.ends[2][0])
        assert supervised.told(2) == []

    def test_tells_all_where_the_settings_are_wrong(self, supervised: Supervised) -> None:
        def fail() -> Settings:
            raise SettingsError("PORT", "is wrong")

        supervised.load = fail
        supervised.begin()
        assert supervised.told(0) == [Reopen, Abort]
        assert [each["reason"] for each in supervised.log.entries] == ["PORT: is wrong"]

    def test_has_the_location_of_a_bug_but_not_its_text(self, supervised: Supervised) -> None:
        def fail() -> Settings:
            return load_settings({"s3cret": ""}["no such key"])  # type: ignore[arg-type]

        supervised.load = fail
        supervised.begin()
        assert supervised.told(0) == [Reopen, Abort]
        [event] = supervised.log.entries
        assert event["reason"] == "KeyError"
        assert any("test_reloads.py" in line for line in event["stack"])

    def test_warns_of_what_was_right_before(self, supervised: Supervised) -> None:
        supervised.load = lambda: load_settings({"WORKERS": "3", "LIVEKIT_MAX_CONNECTIONS": "2"})
        supervised.begin()
        for number in (0, 1):
            supervised.reloads.prepared(supervised.ends[number][0], 1)
        events = [each["event"] for each in supervised.log.entries]
        assert events[0] == "reloaded"
        assert "settings warning" in events

    @pytest.mark.parametrize("times", [1, 3])
    def test_is_repeated_once_if_asked_for_meanwhile(
        self, supervised: Supervised, times: int
    ) -> None:
        supervised.begin()
        for _ in range(times):
            supervised.reloads.begin()
        for own, _ in supervised.ends:
            supervised.reloads.prepared(own, 1)
        assert supervised.told(0) == [Reopen, Prepare, Commit, Reopen]
