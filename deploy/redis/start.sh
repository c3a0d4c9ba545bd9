#!/bin/sh
# Starts Redis with the configuration named, asking for REDIS_PASSWORD: by a file in memory, as arguments are there to be read
# by every process of the machine.
set -eu
: "${REDIS_PASSWORD:?}"
umask 077
printf 'include /etc/stockyard/redis/%s.conf\nrequirepass "%s"\n' "${1:?queue or cache}" "$REDIS_PASSWORD" >/run/redis/redis.conf
exec redis-server /run/redis/redis.conf
