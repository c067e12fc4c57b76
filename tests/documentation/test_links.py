"""Links within the repository lead somewhere."""

import re
from pathlib import Path

import pytest

from tests.documentation.pages import PAGES, anchors
from tests.support.imports import PROJECT

_CODE = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def broken_links(text: str, folder: Path) -> list[str]:
    """Return the links to files and headings that do not exist."""
    links = _LINK.findall(_CODE.sub("", text))
    inner = [link for link in links if not link.startswith(("https://", "http://", "mailto:"))]
    return [link for link in inner if not _leads_somewhere(link, folder)]


def _leads_somewhere(link: str, folder: Path) -> bool:
    path, _, anchor = link.partition("#")
    target = folder / path
    if not target.exists():
        return False
    return not anchor or anchor in anchors(target.read_text())


class TestLinks:
    @pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
    def test_lead_somewhere(self, page: Path) -> None:
        own = re.sub(r"\]\(#", f"]({page.name}#", page.read_text())
        assert broken_links(own, page.parent) == []

    @pytest.mark.parametrize(
        "link", ["docs/no-such-page.md", "README.md#no-such-heading", "docs/log.md#Codes"]
    )
    def test_would_be_seen_to_lead_nowhere(self, link: str) -> None:
        assert broken_links(f"See [there]({link}).", PROJECT) == [link]
