"""The numbered promises: the document's, those of docs/api.md and the REST suite's."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from contract.rest.clause import all_clauses
from tests.support.imports import PROJECT
from tests.support.openapi_document import Document

_BULLET = re.compile(r"^- (R\d+\.\d+) (.+(?:\n  .+)*)", re.MULTILINE)
_NUMBER = re.compile(r"\bR\d+\.\d+\b")
_GROUP = re.compile(r"\bR\d+\b")


def descriptions(node: object) -> Iterator[str]:
    """Yield every description of the document."""
    if isinstance(node, Mapping):
        if isinstance(text := node.get("description"), str):
            yield text
        for member in node.values():
            yield from descriptions(member)


def documented() -> list[tuple[str, str]]:
    found = [_BULLET.findall(text) for text in descriptions(Document().root)]
    return [(number, " ".join(text.split())) for bullets in found for number, text in bullets]


class TestClauses:
    def test_are_those_of_the_document_word_for_word(self) -> None:
        suite = {clause.number: clause.promise for clause in all_clauses()}
        assert dict(documented()) == suite

    def test_stand_in_the_document_once(self) -> None:
        counted = Counter(number for number, _ in documented())
        assert [number for number, times in counted.items() if times > 1] == []
        everywhere = "\n".join(descriptions(Document().root))
        assert set(_NUMBER.findall(everywhere)) == set(counted)

    def test_are_numbered_without_gaps(self) -> None:
        numbers = [clause.number for clause in all_clauses()]
        assert len(set(numbers)) == len(numbers)
        groups = Counter(number.partition(".")[0] for number in numbers)
        expected = {f"{group}.{n + 1}" for group, most in groups.items() for n in range(most)}
        assert set(numbers) == expected

    def test_are_those_that_the_page_for_callers_refers_to(self) -> None:
        api = (PROJECT / "docs/api.md").read_text()
        numbers = {clause.number for clause in all_clauses()}
        assert set(_NUMBER.findall(api)) <= numbers
        groups = {number.partition(".")[0] for number in numbers}
        assert set(_GROUP.findall(_NUMBER.sub("", api))) == groups

    def test_are_listed_on_the_page_about_the_suite(self) -> None:
        page = (PROJECT / "docs/rest-suite.md").read_text()
        rows = re.findall(r"^\| (R\d+\.\d+) \| (.+) \|$", page, re.MULTILINE)
        assert rows == [(clause.number, clause.promise) for clause in all_clauses()]


class TestErrors:
    def test_are_listed_on_the_page_for_callers(self) -> None:
        documented = Document().root["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
        page = (PROJECT / "docs/api.md").read_text()
        listed = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+|OVERLOADED|UNAUTHORIZED)`", page))
        assert set(documented) <= listed
