#!/usr/bin/env bash
# Software:  httptools 0.9.0.
# Belief:    After feed_data() has parsed a whole answer, should_keep_alive() tells whether its
#            connection can be used again; and a header's value comes without the spaces around it.
# Behaviour: should_keep_alive() is False for every answer with a body once feed_data() has
#            returned, and right only within on_message_complete(). Spaces before a value are
#            dropped, those behind it are part of it.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check httptools==0.9.0

cat > "$work/see.py" <<'PYTHON'
import httptools


class Answer:
    def on_header(self, name: bytes, value: bytes) -> None:
        print("header:", name, value)

    def on_message_complete(self) -> None:
        print("in the callback:", parser.should_keep_alive())


parser = httptools.HttpResponseParser(Answer())
parser.feed_data(b"HTTP/1.1 200 OK\r\nX:  a  \r\nContent-Length: 2\r\n\r\nok")
print("afterwards:", parser.should_keep_alive())
PYTHON
expected="header: b'X' b'a  '
header: b'Content-Length' b'2'
in the callback: True
afterwards: False"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
