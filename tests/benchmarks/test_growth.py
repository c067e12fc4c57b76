"""The model of docs/growth.md, computed without measuring."""

import json

import pytest
from cattrs import structure

from benchmarks.growth import Constants, calls, table
from tests.documentation.pages import blocks
from tests.support.imports import PROJECT


class TestTable:
    def test_is_that_of_the_page(self) -> None:
        page = (PROJECT / "docs/growth.md").read_text()
        [constants] = blocks("docs/growth.md", "json")
        assert "\n".join(table(structure(json.loads(constants.text), Constants))) in page


class TestCalls:
    @pytest.mark.parametrize(
        ("connections", "processes", "expected"),
        [(1, 1, 2), (3, 1, 2), (6, 1, 1.5), (6, 2, 2), (48, 1, 1 + 1 / 16), (480, 1, 1 + 1 / 16)],
    )
    def test_share_a_lookup_among_a_third_of_those_in_flight(
        self, connections: int, processes: int, expected: float
    ) -> None:
        assert calls(connections, processes) == expected
