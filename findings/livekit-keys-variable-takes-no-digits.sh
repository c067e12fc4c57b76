#!/usr/bin/env bash
# Software:  livekit-server 1.13.5.
# Belief:    LIVEKIT_KEYS="devkey: SECRET" takes the same secrets as "keys:" in the configuration file.
# Behaviour: A secret that consists of digits works in the file. In the variable the server does not
#            start, and says that it has been given no keys. With one letter in it, it starts.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap '{ kill -9 "${pids[@]}"; wait; } 2>/dev/null || true; rm -rf "$work"' EXIT
if [ -z "${LIVEKIT_SERVER:-}" ]; then # a binary of that version that is here already
    GOBIN="$work" go install github.com/livekit/livekit-server/cmd/server@v1.13.5
    LIVEKIT_SERVER="$work/server"
fi
digits=12345678901234567890123456789012

start() { # NAME KEYS-IN-THE-FILE
    local port tcp udp
    read -r port tcp udp < <(shuf -n 3 -i 10000-32767 | xargs)
    "$LIVEKIT_SERVER" --config-body "{port: $port, bind_addresses: [127.0.0.1], $2
        rtc: {node_ip: 127.0.0.1, interfaces: {includes: [lo]}, enable_loopback_candidate: true,
              use_external_ip: false, tcp_port: $tcp, udp_port: $udp}}" >"$work/$1" 2>&1 &
    local pid=$!
    pids+=("$pid")
    for _ in $(seq 600); do
        if grep -q "starting LiveKit server" "$work/$1"; then
            echo "$1: starts"
            return
        fi
        if ! kill -0 "$pid" 2>/dev/null; then
            echo "$1: $(tail -n 1 "$work/$1")"
            return
        fi
        sleep 0.1
    done
}

expected="digits in the file: starts
digits in the variable: one of key-file or keys must be provided
digits and a letter in the variable: starts"
seen=$(
    start "digits in the file" "keys: {devkey: $digits},"
    LIVEKIT_KEYS="devkey: $digits" start "digits in the variable" ""
    LIVEKIT_KEYS="devkey: ${digits}e" start "digits and a letter in the variable" ""
    kill -9 "${pids[@]}" 2>/dev/null || true
)
echo "$seen"
[ "$seen" = "$expected" ]
