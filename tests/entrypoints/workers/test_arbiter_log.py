"""What the log has of gunicorn's own messages."""

from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import LogCapture

from entrypoints.workers.arbiter_log import ArbiterLog


@pytest.fixture
def captured() -> Iterator[LogCapture]:
    before, capture = structlog.get_config(), LogCapture()
    structlog.configure(processors=[capture], cache_logger_on_first_use=False)
    yield capture
    structlog.configure(**before)


def test_has_warnings_and_nothing_less(captured: LogCapture) -> None:
    log = ArbiterLog(None)
    log.info("Booting worker with pid: %s", 7)
    log.warning("no %s", "memory")
    log.warning("100%")
    problems = [event["problem"] for event in captured.entries]
    assert problems == ["no memory", "100%"]
    assert {event["event"] for event in captured.entries} == {"supervisor's warning"}


def test_has_an_exceptions_type_and_location_but_not_its_text(captured: LogCapture) -> None:
    try:
        int("s3cret")
    except ValueError:
        ArbiterLog(None).exception("Unhandled exception in main loop", exc_info=True)
    [event] = captured.entries
    assert (event["event"], event["reason"]) == ("supervisor error", "ValueError")
    assert "test_arbiter_log.py" in event["stack"][0]
    assert "s3cret" not in str(event["problem"])
