"""Prints what pyproject.toml in this folder needs, with the extras that the arguments name.

pip installs these only together with the package, which would tie their layer to our code.
"""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
extras = [project["optional-dependencies"][extra] for extra in sys.argv[1:]]
sys.stdout.write("\n".join(sum(extras, project["dependencies"])) + "\n")
