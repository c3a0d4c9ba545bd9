#!/bin/bash
# Starts the primary. On an empty volume it makes the cluster first, with a superuser and the role that the replica streams as;
# database and roles of the platform are made by `migrate`. A cluster appears under $PGDATA only when it is complete.
set -euo pipefail
: "${PGDATA:?}" "${POSTGRES_PASSWORD:?}" "${REPLICATION_PASSWORD:?}"

make_cluster() {
  local major locale role draft="$PGDATA.new"
  major=$(initdb --version | grep -oE '[0-9]+' | head -n 1)
  # Sorting by code point, the same on every machine and with every version of its libraries.
  locale=(--locale=C.UTF-8)
  [ "$major" -lt 17 ] || locale=(--locale=C --locale-provider=builtin --builtin-locale=C.UTF-8)
  rm -rf "$draft"
  mkdir -p "$(dirname "$draft")"
  initdb --pgdata="$draft" --username=postgres --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
    --auth=scram-sha-256 --encoding=UTF8 "${locale[@]}" --data-checksums --no-instructions
  role="create role stockyard_replication replication login password '${REPLICATION_PASSWORD//\'/\'\'}'"
  postgres --single -D "$draft" postgres >/dev/null <<<"$role"
  mv "$draft" "$PGDATA"
}

[ -s "$PGDATA/PG_VERSION" ] || make_cluster
exec postgres -D "$PGDATA" -c config_file=/etc/stockyard/postgres/postgresql.conf
