#!/usr/bin/env bash
# Software:  gunicorn 27.0.1 with the worker of aiohttp 3.14.5.
# Belief:    The hook worker_abort tells which worker was blocked, and where, when it exceeds the
#            timeout.
# Behaviour: A worker that blocks its event loop does not react to SIGABRT, as its handlers run in
#            the loop: worker_abort never runs, and SIGKILL follows a second later with a log line
#            that suspects memory. child_exit runs in the arbiter. For a stack use
#            faulthandler.dump_traceback_later().
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    gunicorn==27.0.1 aiohttp==3.14.5

cat > "$work/app.py" <<'PYTHON'
import time

from aiohttp import web


async def block(_: web.Request) -> web.Response:
    time.sleep(60)
    return web.Response()


async def app() -> web.Application:
    application = web.Application()
    application.router.add_get("/", block)
    return application
PYTHON
cat > "$work/settings.py" <<'PYTHON'
bind, workers, timeout = "unix:app.sock", 1, 2
worker_class = "aiohttp.GunicornWebWorker"
control_socket = "ctl.sock"


def worker_abort(worker):
    print("worker_abort", flush=True)


def child_exit(server, worker):
    print("child_exit", flush=True)
PYTHON
cd "$work"
venv/bin/gunicorn -c settings.py app:app >log 2>&1 &
gunicorn=$!
trap '{ kill -9 $(pgrep -P "$gunicorn") "$gunicorn"; wait; } 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 100); do [ -S app.sock ] && break || sleep 0.2; done
sleep 2
curl -s --max-time 60 --unix-socket app.sock http://localhost/ >/dev/null || true
for _ in $(seq 100); do grep -q child_exit log && break || sleep 0.2; done
expected="WORKER TIMEOUT
Perhaps out of memory
child_exit"
seen=$(grep -oE "WORKER TIMEOUT|Perhaps out of memory|^worker_abort|^child_exit" log | head -3)
echo "$seen"
[ "$seen" = "$expected" ]
