#!/bin/bash
# Starts the streaming replica. On an empty volume it copies the primary first, with a slot that keeps the log it will need. A
# copy appears under $PGDATA only when it is complete. Once promoted it starts as the primary that it has become.
set -euo pipefail
: "${PGDATA:?}" "${REPLICATION_PASSWORD:?}" "${PRIMARY_HOST:?}"

SLOT=replica
# Written at each start, so that a new password needs no more than that; the directory is in memory.
PASSFILE=/run/postgresql/passfile
(umask 077 && printf '*:*:*:stockyard_replication:%s\n' "$(sed 's/[:\\]/\\&/g' <<<"$REPLICATION_PASSWORD")" >"$PASSFILE")
PRIMARY="host=$PRIMARY_HOST port=${PRIMARY_PORT:-5432} user=stockyard_replication passfile=$PASSFILE application_name=$SLOT"

copy_primary() {
  local draft="$PGDATA.new"
  rm -rf "$draft"
  mkdir -p "$(dirname "$draft")"
  # That of an earlier replica, whose volume is gone. While one streams from it this fails, and so does what follows.
  psql "$PRIMARY replication=true" -c "DROP_REPLICATION_SLOT $SLOT" >/dev/null 2>&1 || true
  pg_basebackup --pgdata="$draft" --dbname="$PRIMARY" --no-password --checkpoint=fast --wal-method=stream \
    --slot="$SLOT" --create-slot
  touch "$draft/standby.signal"
  mv "$draft" "$PGDATA"
}

[ -s "$PGDATA/PG_VERSION" ] || copy_primary
exec postgres -D "$PGDATA" -c config_file=/etc/stockyard/postgres/postgresql.conf \
  -c primary_conninfo="$PRIMARY" -c primary_slot_name="$SLOT"
