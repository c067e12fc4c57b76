"""docs/audit.md against the schema of the events."""

import json
import re

from jsonschema import Draft202012Validator

from tests.support.imports import PROJECT

PAGE = (PROJECT / "docs" / "audit.md").read_text()
SCHEMA = json.loads((PROJECT / "contract" / "audit-event.schema.json").read_text())


class TestPage:
    def test_lists_the_fields_of_the_schema(self) -> None:
        _, _, rest = PAGE.partition("\n| field | meaning |\n")
        cells = re.findall(r"^\| (`.*?) \|", rest.partition("\n\n")[0], re.MULTILINE)
        documented = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
        assert sorted(documented) == sorted(SCHEMA["properties"])

    def test_shows_a_valid_event(self) -> None:
        [example] = re.findall(r"```json\n(.*)\n```", PAGE)
        assert list(Draft202012Validator(SCHEMA).iter_errors(json.loads(example))) == []
