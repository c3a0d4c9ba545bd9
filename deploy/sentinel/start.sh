#!/bin/sh
# Starts one server of a Redis with Sentinels: `start.sh redis` or `start.sh sentinel`, in the directory that keeps its data.
#
#   MASTER_NAME          what the Sentinels call it, and REDIS_URL too (redis+sentinel://…/stockyard)      default: stockyard
#   MASTER_HOST          host of the first master; a server that is started there for the first time is it
#   MASTER_PORT          default: 6379
#   HOST, PORT           where others reach this server                          default: the host's name; 6379, or 26379
#   REDIS_PASSWORD       of servers; SENTINEL_PASSWORD of Sentinels              default: none
#   BIND                 addresses that it listens at                            default: all
#   DOWN_AFTER_MS        silence after which a Sentinel takes a server for away  default: 5000
#
# The first start writes the configuration from the file beside this one; later starts use what became of it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
role=$1
name=${MASTER_NAME:-stockyard}
host=${HOST:-$(hostname)}
master_port=${MASTER_PORT:-6379}

quoted() {
  printf '"%s"' "$(printf %s "$1" | sed 's/[\\"]/\\&/g')"
}

write() {
  cat "$here/$role.conf"
  echo "dir $PWD"
  [ -z "${BIND:-}" ] || echo "bind $BIND"
  [ -n "${REDIS_PASSWORD:-}${SENTINEL_PASSWORD:-}" ] || echo 'protected-mode no'
}

case $role in
redis)
  port=${PORT:-6379}
  own() {
    write
    echo "port $port"
    echo "replica-announce-ip $host"
    echo "replica-announce-port $port"
    if [ -n "${REDIS_PASSWORD:-}" ]; then
      printf '%s\n' "requirepass $(quoted "$REDIS_PASSWORD")"
      printf '%s\n' "masterauth $(quoted "$REDIS_PASSWORD")"
    fi
    [ "$host:$port" = "$MASTER_HOST:$master_port" ] || echo "replicaof $MASTER_HOST $master_port"
  }
  ;;
sentinel)
  port=${PORT:-26379}
  own() {
    write
    echo "port $port"
    echo "sentinel announce-ip $host"
    echo "sentinel announce-port $port"
    if [ -n "${SENTINEL_PASSWORD:-}" ]; then
      printf '%s\n' "requirepass $(quoted "$SENTINEL_PASSWORD")"
      printf '%s\n' "sentinel sentinel-pass $(quoted "$SENTINEL_PASSWORD")"
    fi
    echo "sentinel monitor $name $MASTER_HOST $master_port 2"
    echo "sentinel down-after-milliseconds $name ${DOWN_AFTER_MS:-5000}"
    echo "sentinel failover-timeout $name 30000"
    echo "sentinel parallel-syncs $name 1"
    [ -z "${REDIS_PASSWORD:-}" ] || printf '%s\n' "sentinel auth-pass $name $(quoted "$REDIS_PASSWORD")"
  }
  ;;
*)
  echo "usage: start.sh redis|sentinel" >&2
  exit 2
  ;;
esac

umask 077
if [ ! -s "$role.conf" ]; then
  own > "$role.conf.new"
  mv "$role.conf.new" "$role.conf"
fi
if [ "$role" = sentinel ]; then exec redis-server "$PWD/$role.conf" --sentinel; fi
exec redis-server "$PWD/$role.conf"
