#!/bin/sh
# Starts PgBouncer before SERVER_HOST with the passwords of the roles that processes serve as. What it writes is in memory.
set -eu
: "${SERVER_HOST:?}"
umask 077

# PgBouncer's manual, "Authentication file format": quotes are doubled.
user() {
  printf '"%s" "%s"\n' "$1" "$(printf '%s' "$2" | sed 's/"/""/g')"
}

{
  user stockyard_app "${DATABASE_APP_PASSWORD:?}"
  user stockyard_relay "${DATABASE_RELAY_PASSWORD:?}"
  user stockyard_control "${DATABASE_CONTROL_PASSWORD:?}"
  user stockyard_monitor "${DATABASE_MONITOR_PASSWORD:?}"
} >/run/pgbouncer/users.txt
printf 'stockyard = host=%s port=%s\n' "$SERVER_HOST" "${SERVER_PORT:-5432}" >/run/pgbouncer/databases.ini
exec pgbouncer /etc/stockyard/pgbouncer/pgbouncer.ini
