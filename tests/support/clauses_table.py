"""The numbered clauses of the room gateway's suite, and their table in docs/room-gateways.md.

``python -m tests.support.clauses_table`` writes the table.
"""

import re
from collections.abc import Callable, Mapping

from contract.room_gateway import RoomGatewayContract
from tests.support.imports import PROJECT

CLAUSES: Mapping[str, Callable[[RoomGatewayContract], None]] = {
    (test.__doc__ or "").partition(" ")[0]: test
    for group in reversed(RoomGatewayContract.__mro__)
    for name, test in vars(group).items()
    if name.startswith("test_")
}
"""The test of each clause, by its number, in the order in which they run."""
PAGE = PROJECT / "docs" / "room-gateways.md"
_GENERATED = re.compile(r"(?<=<!-- python -m tests.support.clauses_table -->\n).*", re.DOTALL)


def with_clauses_table(page: str) -> str:
    """Replace the table of clauses in the page's text."""
    rows = [
        f"| {number} | {(test.__doc__ or '').partition(' ')[2]} | `{test.__name__}` |"
        for number, test in CLAUSES.items()
    ]
    table = ["", "| clause | what a room gateway promises | test |", "|---|---|---|", *rows, ""]
    return _GENERATED.sub(lambda _: "\n".join(table), page)


if __name__ == "__main__":
    PAGE.write_text(with_clauses_table(PAGE.read_text()))
