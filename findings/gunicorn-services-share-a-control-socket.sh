#!/usr/bin/env bash
# Software:  gunicorn 27.0.1.
# Belief:    gunicornc reaches the service that was started first, or says which of two it means;
#            two services with sockets and settings of their own do not meet.
# Behaviour: Every gunicorn of a user has ~/.gunicorn/gunicorn.ctl as its control socket (or the one
#            in XDG_RUNTIME_DIR) unless told otherwise. The one started last takes the path without a
#            word, so that "reload", meant for the first, goes to the second; when the second ends it
#            removes the path, though the first still runs. Set control_socket for each.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap '{ kill "${pids[@]}"; wait; } 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check gunicorn==27.0.1
cd "$work"
mkdir home
export HOME="$work/home"
unset XDG_RUNTIME_DIR
cat > app.py <<'PYTHON'
def app(environ, start_response):
    start_response("200 OK", [])
    return [b""]
PYTHON
start() { # NAME
    venv/bin/gunicorn --bind "unix:$1.sock" --name "$1" app:app >"$1.log" 2>&1 &
    pids+=($!)
    for _ in $(seq 100); do grep -q "Control socket" "$1.log" && [ -S "$1.sock" ] && break || sleep 0.2; done
}
bound() { # the socket of the service that gunicornc reaches
    venv/bin/gunicornc -c "show listeners" 2>&1 | grep -oE "(first|second)\.sock" | head -1 || true
}
expected="first.sock
second.sock
none: the first still runs"
start first
seen=$(bound)
start second
seen+=$'\n'$(bound)
kill "${pids[1]}"
wait "${pids[1]}" || true
[ -z "$(bound)" ] && kill -0 "${pids[0]}" && seen+=$'\n'"none: the first still runs"
echo "$seen"
[ "$seen" = "$expected" ]
