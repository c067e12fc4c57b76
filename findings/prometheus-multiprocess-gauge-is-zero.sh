#!/usr/bin/env bash
# Software:  prometheus_client 0.26.0 with PROMETHEUS_MULTIPROC_DIR.
# Belief:    A gauge of mode min is the least value that any process has set.
# Behaviour: A gauge without labels is written as 0 by every process that merely declares it, so
#            the minimum is 0 until each has set it, and again after any restart. With a label it
#            is right, as nothing is written before it is used. set_function() is ignored without
#            a word: 0.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    prometheus_client==0.26.0
mkdir "$work/metrics"

cat > "$work/see.py" <<'PYTHON'
import os
import sys

os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1]

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector


def process(value: int | None) -> None:
    if pid := os.fork():
        os.waitpid(pid, 0)
        return
    plain = Gauge("plain", "", multiprocess_mode="min")
    labelled = Gauge("labelled", "", ["name"], multiprocess_mode="min")
    Gauge("function", "", multiprocess_mode="max").set_function(lambda: 7)
    if value is not None:
        plain.set(value)
        labelled.labels("a").set(value)
    os._exit(0)


for value in (5, 3, None):
    process(value)
registry = CollectorRegistry()
MultiProcessCollector(registry)
lines = generate_latest(registry).decode().splitlines()
print(*sorted(line for line in lines if not line.startswith("#")), sep="\n")
PYTHON
expected="function 0.0
labelled{name=\"a\"} 3.0
plain 0.0"
seen=$("$work/venv/bin/python" "$work/see.py" "$work/metrics")
echo "$seen"
[ "$seen" = "$expected" ]
