"""The results, as Markdown and as lines of text: one for each clause."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from attrs import define, field, frozen

KEPT, BROKEN, LEFT_OUT, NOT_RUN = "kept", "broken", "left out", "not run"


@frozen(kw_only=True)
class Row:
    """A clause and what became of it."""

    number: str
    promise: str
    result: str
    detail: str


@define(kw_only=True)
class Report:
    """The results so far.

    Attributes:
        promises: the promise of every clause, by its number.
        left_out: why clauses are left out.
    """

    promises: Mapping[str, str]
    left_out: Mapping[str, str]
    results: dict[str, tuple[str, str]] = field(init=False, factory=dict)

    def rows(self) -> Sequence[Row]:
        """Return a row for each clause, in the order of the numbers."""
        return [self._row(number, promise) for number, promise in self.promises.items()]

    def summary(self) -> str:
        """Say how many clauses are kept, broken, left out and not run."""
        counted = Counter(row.result for row in self.rows())
        kinds = (KEPT, BROKEN, LEFT_OUT, NOT_RUN)
        return "clauses: " + ", ".join(f"{counted[kind]} {kind}" for kind in kinds)

    def write(self, path: Path, title: str) -> None:
        """Write a Markdown table with one row a clause."""
        path.write_text("\n".join(self._lines(title)) + "\n", encoding="utf-8")

    def _row(self, number: str, promise: str) -> Row:
        why = self.left_out.get(number)
        result, detail = self.results.get(number, (NOT_RUN, ""))
        if why is not None:
            result, detail = LEFT_OUT, why
        return Row(number=number, promise=promise, result=result, detail=detail)

    def _lines(self, title: str) -> Iterable[str]:
        yield from (f"# {title}", "", f"{self.summary()[9:]}.", "")
        yield from ("| clause | promise | result |", "|---|---|---|")
        for row in self.rows():
            result = f"{row.result}: {row.detail}" if row.detail else row.result
            yield f"| {row.number} | {_cell(row.promise)} | {_cell(result)} |"


def _cell(text: str) -> str:
    """Write a text so that it stays in its cell and is not taken for markup."""
    for sign in "\\|<*`_":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())
