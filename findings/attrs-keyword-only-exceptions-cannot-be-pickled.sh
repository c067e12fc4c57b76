#!/usr/bin/env bash
# Software:  attrs 26.1.0.
# Belief:    An exception made with @attrs.frozen(kw_only=True) behaves as other exceptions do.
# Behaviour: Its args hold the fields, and copy and pickle call the class with args, by position,
#            which kw_only forbids. So it cannot come back from another process: the caller of a
#            process pool, of pytest-xdist or of a task queue gets a TypeError of the machinery in
#            place of the error. Without kw_only it can.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    attrs==26.1.0

cat > "$work/see.py" <<'PYTHON'
import copy
import pickle

import attrs


@attrs.frozen
class ByPosition(Exception):
    reason: str


@attrs.frozen(kw_only=True)
class ByName(Exception):
    reason: str


for error in (ByPosition("x"), ByName(reason="x")):
    for repeat in (copy.copy, lambda each: pickle.loads(pickle.dumps(each))):
        try:
            print(repr(repeat(error)))
        except TypeError as failure:
            print(type(error).__name__, "TypeError", "positional" in str(failure))
PYTHON
expected="ByPosition(reason='x')
ByPosition(reason='x')
ByName TypeError True
ByName TypeError True"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
