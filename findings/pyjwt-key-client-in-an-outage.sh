#!/usr/bin/env bash
# Software:  PyJWT 2.15.1, cryptography 50.0.2.
# Belief:    PyJWKClient fetches the set again for an unknown key id, and goes on with the keys it
#            has while the issuer is down.
# Behaviour: A key published just after a fetch is refused without another fetch for 30 s. In an
#            outage tokens with known keys are refused once the set's lifespan (300 s unless set)
#            is over: an issuer's short outage rejects every token. It also blocks: it fetches
#            with urllib.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    PyJWT==2.15.1 cryptography==50.0.2

cat > "$work/see.py" <<'PYTHON'
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from jwt.algorithms import ECAlgorithm

keys = {name: generate_private_key(SECP256R1()) for name in ("old", "new")}
published, is_up, fetches = ["old"], True, 0


class Issuer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        global fetches
        fetches += 1
        if not is_up:
            return self.send_error(503)
        public = ((name, keys[name].public_key()) for name in published)
        members = [{**json.loads(ECAlgorithm.to_jwk(key)), "kid": name} for name, key in public]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"keys": members}).encode())

    def log_message(self, *_: object) -> None:
        pass


server = HTTPServer(("127.0.0.1", 0), Issuer)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = jwt.PyJWKClient(f"http://127.0.0.1:{server.server_port}/", lifespan=5)


def tell(when: str, name: str) -> None:
    token = jwt.encode({}, keys[name], "ES256", headers={"kid": name})
    try:
        outcome = client.get_signing_key_from_jwt(token).key_id
    except jwt.PyJWKClientError as error:
        outcome = type(error).__name__
    print(f"{when}: {outcome}, {fetches} fetches")


tell("first", "old")
published.append("new")
tell("published since", "new")
is_up = False
time.sleep(6)
tell("outage", "old")
PYTHON
expected="first: old, 1 fetches
published since: PyJWKClientError, 1 fetches
outage: PyJWKClientConnectionError, 2 fetches"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
