#!/bin/sh
# Writes .env from .env.example, with a random value for each secret that is empty there. Never over an existing one.
set -eu
cd "$(dirname "$0")/.."
if [ -e .env ]; then
  echo '.env is there already; it keeps the passwords of the volumes. Nothing was changed.' >&2
  exit 1
fi
umask 077
while IFS= read -r line; do
  case $line in
    *_PASSWORD= | *_SECRET= | *_TOKEN=) line="$line$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')" ;;
  esac
  printf '%s\n' "$line"
done <.env.example >.env.new
mv .env.new .env
echo 'Wrote .env, which only you can read. Keep a copy of it where your backups are.'
