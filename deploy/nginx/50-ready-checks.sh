#!/bin/sh
# For /docker-entrypoint.d of the official image, which runs it before nginx: the checks go on beside it, and are begun anew should
# they ever end.
set -eu
(while :; do sh "${BALANCER_CHECKS:-/usr/local/lib/stockyard/ready-checks.sh}" || sleep 1; done) &
