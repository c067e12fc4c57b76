#!/usr/bin/env bash
# Software:  import-linter 2.17.
# Belief:    'app.core must not import app.web' covers every module below app/core, or the linter
#            says which it left out.
# Behaviour: A folder without __init__.py is not a part of the package for it, though Python
#            imports it: what is inside is not analysed, the contract is reported as kept, and
#            only the number of files tells.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    import-linter==2.17

mkdir -p "$work/app/core/rules" "$work/app/web"
touch "$work/app/__init__.py" "$work/app/core/__init__.py" "$work/app/web/__init__.py"
echo "import app.web" > "$work/app/core/rules/price.py"
cat > "$work/.importlinter" <<'INI'
[importlinter]
root_package = app

[importlinter:contract:1]
name = core
type = forbidden
source_modules = app.core
forbidden_modules = app.web
INI
lint() {
    PYTHONPATH=. "$work/venv/bin/lint-imports" --no-cache | grep -E "^(Analyzed|core )" | cut -d, -f1 || true
}
cd "$work"
expected="Analyzed 3 files
core KEPT
Analyzed 5 files
core BROKEN"
seen=$(lint; touch app/core/rules/__init__.py; lint)
echo "$seen"
[ "$seen" = "$expected" ]
