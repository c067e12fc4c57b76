import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from entrypoints.logs import make_log


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    kept = root.level, root.handlers[:]
    yield
    root.level, root.handlers[:] = kept
    structlog.reset_defaults()


class TestMakeLog:
    def test_tells_the_place_of_a_foreign_exception_and_not_its_text(
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
    def test_writes_one_line_of_printable_ascii_whatever_is_in_it(
        self, capsys: pytest.CaptureFixture[str], value: object
    ) -> None:
        make_log(level="info", format_="json").info("event", room=value)
        written = capsys.readouterr().err
        assert json.loads(written)["room"] == value
        assert written.removesuffix("\n").isprintable()
        assert written.isascii()

    @pytest.mark.parametrize(("level", "lines"), [("info", 2), ("warning", 1), ("error", 0)])
    def test_writes_what_is_asked_for(
        self, capsys: pytest.CaptureFixture[str], level: str, lines: int
    ) -> None:
        log = make_log(level=level, format_="json")
        log.info("one")
        log.warning("two")
        logging.getLogger("asyncio").info("never: others are heard from warnings on")
        assert capsys.readouterr().err.count("\n") == lines
