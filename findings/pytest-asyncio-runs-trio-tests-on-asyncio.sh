#!/usr/bin/env bash
# Software:  pytest-asyncio 1.5.0 with anyio 4.16.0, trio 0.35.0, pytest 9.2.0.
# Belief:    A test with @pytest.mark.anyio runs on the backend in its id: test_x[trio] on trio.
# Behaviour: In asyncio_mode=auto, pytest-asyncio takes the test first and runs it on asyncio
#            under the id [trio]; it passes, and trio is never tested. In strict mode anyio's
#            plugin runs it. So a suite that others inherit tests what its user's mode decides,
#            unless it asserts where it runs.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    pytest==9.2.0 pytest-asyncio==1.5.0 anyio==4.16.0 trio==0.35.0

cat > "$work/test_backend.py" <<'PYTHON'
import pytest
import trio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.anyio
async def test_backend(anyio_backend: str) -> None:
    try:
        trio.lowlevel.current_task()
        running = "trio"
    except RuntimeError:
        running = "asyncio"
    print(f"\nSEEN [{anyio_backend}] on {running}")
PYTHON
for_mode() {
    "$work/venv/bin/python" -m pytest -q -s -p no:cacheprovider -o "asyncio_mode=$1" \
        --rootdir "$work" "$work/test_backend.py" 2>/dev/null | sed -n "s/^SEEN/$1:/p; s/ in .*s$//p"
}
expected="strict: [asyncio] on asyncio
strict: [trio] on trio
2 passed
auto: [asyncio] on asyncio
auto: [trio] on asyncio
2 passed"
seen=$(for_mode strict; for_mode auto)
echo "$seen"
[ "$seen" = "$expected" ]
