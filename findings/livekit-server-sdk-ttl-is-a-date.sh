#!/usr/bin/env bash
# Software:  livekit-server-sdk 2.19.2 (npm), Node 20 or newer.
# Belief:    token.ttl = 600 makes a token that is valid for ten minutes, as the option ttl: 600
#            of the constructor does.
# Behaviour: The property passes its number on as a date: exp is 600 seconds after 1970, and the
#            token has been expired for half a century. Text ('600s') is a duration in both
#            places.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-fund --no-audit --prefix "$work" livekit-server-sdk@2.19.2 >/dev/null

cat > "$work/see.mjs" <<'JS'
import { AccessToken } from "livekit-server-sdk";

const life = async (options, ttl) => {
  const token = new AccessToken("key", "s".repeat(32), { identity: "a", ...options });
  if (ttl !== undefined) token.ttl = ttl;
  const claims = JSON.parse(Buffer.from((await token.toJwt()).split(".")[1], "base64url"));
  return claims.exp < 1e6 ? `exp is ${claims.exp}` : `${claims.exp - claims.nbf} s`;
};
console.log("option 600:", await life({ ttl: 600 }));
console.log("property 600:", await life({}, 600));
console.log("property '600s':", await life({}, "600s"));
JS
expected="option 600: 600 s
property 600: exp is 600
property '600s': 600 s"
seen=$(node "$work/see.mjs")
echo "$seen"
[ "$seen" = "$expected" ]
