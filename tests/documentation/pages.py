"""The pages of the documentation: their blocks of code, links and headings."""

import re
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from tests.support.imports import PROJECT

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_TEXT_OF_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_FOLDERS = ("docs", "examples", "findings")
PAGES: Sequence[Path] = sorted(
    [*PROJECT.glob("*.md"), *(page for each in _FOLDERS for page in (PROJECT / each).rglob("*.md"))]
)


@frozen
class Block:
    """A block of code of a page."""

    page: str
    language: str
    text: str

    @property
    def first(self) -> tuple[str, str]:
        """The page, and the first line, which no other block of the page begins with."""
        return self.page, self.text.partition("\n")[0].partition("  #")[0].rstrip()


def blocks(page: str, *languages: str) -> Sequence[Block]:
    """Return the blocks of a page in these languages, in their order."""
    found = _BLOCK.findall((PROJECT / page).read_text())
    return [Block(page, language, text) for language, text in found if language in languages]


def block(page: str, language: str, containing: str) -> str:
    """Return the text of the only such block."""
    [found] = [each.text for each in blocks(page, language) if containing in each.text]
    return found


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    without_code = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", without_code, re.MULTILINE)
    plain = [_TEXT_OF_LINK.sub(r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}
