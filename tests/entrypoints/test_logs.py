import asyncio
import json
import logging
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

import pytest
import structlog
from yarl import URL

from entrypoints import logs
from entrypoints.logs import log_loop_error

make_log = partial(logs.make_log, secrets=lambda: frozenset({"s3cret-of-ours"}))


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    kept = root.level, root.handlers[:]
    yield
    root.level, root.handlers[:] = kept
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


class TestMakeLog:
    def test_gives_the_location_of_an_exception_not_its_text(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        make_log(level="info", format_="json")
        try:
            int("s3cret")
        except ValueError:
            logging.getLogger("aiohttp.server").exception("Unhandled")
        written = capsys.readouterr().err
        assert json.loads(written)["reason"] == "ValueError"
        assert "test_logs.py" in written
        assert "invalid literal" not in written

    @pytest.mark.parametrize(
        "value",
        [
            "plain",
            'a "quoted"\nline',
            "\x1b[31m",
            "\x9b31m",
            "\u2028",
            "é",
            "\ud800",
            1 << 70,
            -1.5,
        ],
        ids=ascii,
    )
    def test_writes_one_line_of_printable_ascii(
        self, capsys: pytest.CaptureFixture[str], value: object
    ) -> None:
        make_log(level="info", format_="json").info("event", room=value)
        written = capsys.readouterr().err
        assert json.loads(written)["room"] == value
        assert written.removesuffix("\n").isprintable()
        assert written.isascii()

    def test_gives_the_time_in_utc(self, capsys: pytest.CaptureFixture[str]) -> None:
        log = make_log(level="info", format_="json")
        before = datetime.now(UTC)
        log.info("event")
        after = datetime.now(UTC)
        logging.getLogger("asyncio").warning("event")
        ours, others = [
            json.loads(line)["timestamp"] for line in capsys.readouterr().err.splitlines()
        ]
        assert before <= datetime.fromisoformat(ours) <= after
        assert ours[-1] == others[-1] == "Z"

    @pytest.mark.parametrize(("level", "lines"), [("info", 2), ("warning", 1), ("error", 0)])
    def test_filters_by_level(
        self, capsys: pytest.CaptureFixture[str], level: str, lines: int
    ) -> None:
        log = make_log(level=level, format_="json")
        log.info("one")
        log.warning("two")
        logging.getLogger("asyncio").info("never: other libraries log from warning on")
        assert capsys.readouterr().err.count("\n") == lines


class TestConsole:
    def test_shows_the_location_of_an_exception(self, capsys: pytest.CaptureFixture[str]) -> None:
        log = make_log(level="info", format_="console")
        log.error("request", stack=["  in here\n", "  and there\n"], reason="ValueError")
        written = capsys.readouterr().err
        assert "  in here\n" in written
        assert "  and there\n" in written
        assert "ValueError" in written

    def test_redacts_what_it_would_break_apart(self, capsys: pytest.CaptureFixture[str]) -> None:
        log = make_log(level="info", format_="console")
        for before in range(60, 100):
            log.warning("settings warning", problem=f"{'x' * before} Bearer s3cret-s3cret")
        written = capsys.readouterr().err
        assert written.count("[secret]") == 40
        assert "s3cret" not in written

    def test_redacts_a_stack(self, capsys: pytest.CaptureFixture[str]) -> None:
        log = make_log(level="info", format_="console")
        log.error("request", stack=["at api_key=s3cret here\n", "s3cret-of-ours"])
        written = capsys.readouterr().err
        assert written.count("[secret]") == 2
        assert "s3cret" not in written


class TestRedaction:
    @pytest.mark.parametrize("format_", ["json", "console"])
    @pytest.mark.parametrize(
        ("value", "written_as"),
        [
            ("s3cret-of-ours", "[secret]"),
            ("Bearer s3cret", "[secret]"),
            ("the bearer  s3cret came", "the [secret] came"),
            ("Basic czNjcmV0", "[secret]"),
            ("/?x=1&api_key=s3cret&y=2", "/?x=1&[secret]&y=2"),
            ("a eyJhbGciOiJFUzI1NiJ9.eyJzMyI6MX0.s3cret_- b", "a [secret] b"),
            ("-----BEGIN EC PRIVATE KEY-----\ns3cret\n", "[secret]"),
            ("Bearer s3cret\" and 'more'", "[secret] and"),
            ('api_key=s3c\\"ret\\', "[secret]"),
        ],
    )
    def test_hides_secrets(
        self, capsys: pytest.CaptureFixture[str], format_: str, value: str, written_as: str
    ) -> None:
        log = make_log(level="info", format_=format_)
        log.info("event", room=value)
        logging.getLogger("aiohttp.server").warning("from a library: %s", value)
        ours, others = capsys.readouterr().err.splitlines()
        if format_ == "json":
            fields = {"room", "event", "level", "timestamp"}
            assert json.loads(ours).keys() - {"room_sha256"} == fields
            assert json.loads(others).keys() == {"event", "level", "timestamp"}
        assert "s3" not in ours
        assert written_as in ours
        if value != "s3cret-of-ours":  # which is redacted as a whole value only
            assert "s3" not in others
            assert written_as in others

    @pytest.mark.parametrize("format_", ["json", "console"])
    @pytest.mark.parametrize(
        "value",
        [
            ["s3cret-of-ours"],
            {"a": {"b": "api_key=s3cret"}},
            {("api_key=s3cret",): "a key that JSON does not allow"},
            ("Bearer s3cret",),
            b"Bearer s3cret",
            URL("http://host/?api_key=s3cret"),
        ],
        ids=repr,
    )
    def test_covers_every_kind_of_value(
        self, capsys: pytest.CaptureFixture[str], format_: str, value: object
    ) -> None:
        make_log(level="info", format_=format_).info("event", value=value)
        written = capsys.readouterr().err
        assert "[secret]" in written
        assert "s3cret" not in written

    def test_covers_lists(self, capsys: pytest.CaptureFixture[str]) -> None:
        make_log(level="info", format_="json").info("event", stack=["api_key=s3cret"], number=1)
        written = json.loads(capsys.readouterr().err)
        assert (written["stack"], written["number"]) == (["[secret]"], 1)

    @pytest.mark.parametrize(
        "value", ["s3cret-of-ours-2", "bearer", "Bearer <token>", "eyJ", '\bearer x"']
    )
    def test_changes_nothing_else(self, capsys: pytest.CaptureFixture[str], value: str) -> None:
        make_log(level="info", format_="json").info("event", room=value)
        assert json.loads(capsys.readouterr().err)["room"] == value


def test_warnings_of_libraries_are_events(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        make_log(level="info", format_="json")
        warnings.warn("a short key", UserWarning, stacklevel=1)
    [line] = capsys.readouterr().err.splitlines()
    assert "a short key" in json.loads(line)["event"]


async def test_event_loop_errors_are_events_without_their_objects(
    capsys: pytest.CaptureFixture[str],
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(partial(log_loop_error, make_log(level="info", format_="json")))
    try:
        int("s3cret")
    except ValueError as error:
        loop.call_exception_handler({"message": "a task failed", "exception": error, "task": "s3"})
    loop.call_exception_handler({"message": "something is odd", "handle": "s3cret"})
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(event["event"], event["problem"], event.get("reason")) for event in events] == [
        ("event loop error", "a task failed", "ValueError"),
        ("event loop error", "something is odd", None),
    ]
    assert "test_logs.py" in events[0].pop("stack")[0]  # which quotes this test
    assert "s3" not in str(events)


def test_a_reason_given_to_the_standard_library_is_a_field(
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_log(level="info", format_="json")
    extra = {"reason": "it timed out", "other": 1}
    logging.getLogger("adapters.identity.key_server").warning("JWKS refresh failed", extra=extra)
    event = json.loads(capsys.readouterr().err)
    assert (event["event"], event["reason"]) == ("JWKS refresh failed", "it timed out")
    assert "other" not in event
