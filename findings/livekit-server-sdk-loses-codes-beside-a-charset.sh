#!/usr/bin/env bash
# Software:  livekit-server-sdk 2.19.2 (npm), Node 20 or newer.
# Belief:    The code of a ServerError is what the server's JSON says, however its media type is
#            written.
# Behaviour: Content-Type is compared with the text "application/json". With a parameter, as in
#            "application/json; charset=utf-8", which proxies and frameworks add, the code and the
#            metadata are undefined and the message is the JSON itself, so that code which looks
#            for not_found does not find it. LiveKit's own answers have no parameter.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-fund --no-audit --prefix "$work" livekit-server-sdk@2.19.2 >/dev/null

cat > "$work/see.mjs" <<'JS'
import { createServer } from "node:http";
import { RoomServiceClient } from "livekit-server-sdk";

const error = JSON.stringify({ code: "not_found", msg: "no such room", meta: { room: "a" } });
for (const type of ["application/json", "application/json; charset=utf-8"]) {
  const server = createServer((_, response) => {
    response.writeHead(404, { "Content-Type": type });
    response.end(error);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  try {
    await new RoomServiceClient(url, "key", "s".repeat(32)).listRooms();
  } catch ({ status, code, metadata, message }) {
    console.log(`${type}: ${status} ${code} ${JSON.stringify(metadata)} ${message}`);
  }
  server.closeAllConnections();
  server.close();
}
JS
expected='application/json: 404 not_found {"room":"a"} no such room
application/json; charset=utf-8: 404 undefined undefined {"code":"not_found","msg":"no such room","meta":{"room":"a"}}'
seen=$(node "$work/see.mjs")
echo "$seen"
[ "$seen" = "$expected" ]
