#!/bin/sh
# Health check of the balancer's container: an api answers through it, and each was looked at within the last ten seconds.
set -eu
curl --silent --fail --noproxy '*' --output /dev/null --max-time 3 "http://127.0.0.1:${BALANCER_LISTEN:?}/ready"
for name in api-1 api-2; do
  age=$(($(date +%s) - $(date -r "${BALANCER_DIR:?}/looked/$name" +%s)))
  if [ "$age" -gt 10 ]; then
    echo "$name was looked at $age s ago: ready-checks.sh does not run" >&2
    exit 1
  fi
done
