#!/usr/bin/env bash
# Software:  hatchling 1.33.0.
# Belief:    What a build hook adds to the wheel by build_data['force_include'] is there in an
#            editable install.
# Behaviour: pip install -e runs the hook and reports success, but the file is missing: an
#            editable wheel maps the source folder and ignores force_include. Tests on an editable
#            install and users of the wheel see different packages.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    hatchling==1.33.0

mkdir -p "$work/src/pkg"
touch "$work/src/pkg/__init__.py"
echo "generated" > "$work/made.txt"
cat > "$work/pyproject.toml" <<'TOML'
[build-system]
requires = ["hatchling==1.33.0"]
build-backend = "hatchling.build"

[project]
name = "a-package-of-this-test"
version = "1"

[tool.hatch.build.targets.wheel]
packages = ["src/pkg"]

[tool.hatch.build.hooks.custom]
TOML
cat > "$work/hatch_build.py" <<'PYTHON'
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        build_data["force_include"][f"{self.root}/made.txt"] = "pkg/made.txt"
PYTHON
is_there() {
    "$work/venv/bin/pip" install -q --disable-pip-version-check "$@"
    (cd / && "$work/venv/bin/python" -c '
from importlib.resources import files
print((files("pkg") / "made.txt").is_file())')
}
expected="True
False"
seen=$(is_there "$work"; is_there -e "$work")
echo "$seen"
[ "$seen" = "$expected" ]
