import os
import re
from pathlib import Path

FINDINGS = Path(__file__).parents[1] / "findings"


class TestFindings:
    def test_are_listed_and_can_be_run(self) -> None:
        listed = re.findall(r"^\| `([^`]+)` \|", (FINDINGS / "README.md").read_text(), re.MULTILINE)
        scripts = sorted(FINDINGS.glob("*.sh"))
        assert listed == [script.stem for script in scripts]
        assert [script.name for script in scripts if not os.access(script, os.X_OK)] == []
