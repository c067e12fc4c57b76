#!/bin/sh
# Makes the secrets of compose.yaml in deploy/secrets: random ones, and a certificate that nobody trusts.
# Those that exist stay.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets # also if somebody has made it before
cd secrets

random() { openssl rand -hex "$1"; }

if [ ! -e livekit-server.env ] && [ ! -e livekit-api-key ] && [ ! -e livekit-api-secret ]; then
    key=API$(random 6)
    secret=$(random 32)
    echo "$key" >livekit-api-key
    echo "$secret" >livekit-api-secret
    echo "LIVEKIT_KEYS=$key: $secret" >livekit-server.env
fi
if [ ! -e api-secrets.json ]; then
    first=$(random 32)
    second=$(random 32)
    printf '[{"id": "tenant-a", "secret": "%s"}, {"id": "tenant-b", "secret": "%s"}]\n' \
        "$first" "$second" >api-secrets.json
fi
# Neither file is there: one that is there belongs to a certificate that was not made here.
if [ ! -e privkey.pem ] && [ ! -e fullchain.pem ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -batch \
        -subj /CN=mute.example.com -addext subjectAltName=DNS:mute.example.com,DNS:localhost \
        -keyout privkey.pem -out fullchain.pem 2>/dev/null
fi
for file in livekit-server.env livekit-api-key livekit-api-secret privkey.pem fullchain.pem; do
    if [ ! -e "$file" ]; then
        echo "make-secrets.sh: deploy/secrets/$file is missing, and others that belong to it are there" >&2
        exit 1
    fi
done
# Docker mounts these files as they are, and no container runs as their owner. The folder is closed.
chmod 644 livekit-api-key livekit-api-secret api-secrets.json privkey.pem fullchain.pem
