#!/usr/bin/env bash
# Software:  structlog 26.1.0 under PYTHONUNBUFFERED=1, on a pipe.
# Belief:    A process writes each event as one line, so several that share a pipe do not mix
#            their lines.
# Behaviour: PrintLogger writes the text and its line feed in two calls where the stream is not
#            buffered, as images often set it, and lines of several processes come out joined.
#            WriteLogger writes both at once: its short lines stay whole.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    structlog==26.1.0

cat > "$work/see.py" <<'PYTHON'
import sys

import structlog

factories = {"print": structlog.PrintLoggerFactory(), "write": structlog.WriteLoggerFactory()}
structlog.configure(
    processors=[structlog.processors.JSONRenderer()], logger_factory=factories[sys.argv[1]]
)
log = structlog.get_logger()
for _ in range(10_000):
    log.info("x" * 100)
PYTHON
mixes_lines() { # with four processes on one pipe
    for _ in 1 2 3 4; do
        PYTHONUNBUFFERED=1 "$work/venv/bin/python" "$work/see.py" "$1" &
    done | grep -cvE '^[{]"event": "x{100}"[}]$' || true
}
told() { [ "$(mixes_lines "$1")" -gt 0 ] && echo "$1: mixed" || echo "$1: whole"; }
expected="print: mixed
write: whole"
seen=$(told print; told write)
echo "$seen"
[ "$seen" = "$expected" ]
