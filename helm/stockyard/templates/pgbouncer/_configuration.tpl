{{/*
Every database and role of one server, in transaction mode. Prepared statements are kept across server connections
(max_prepared_statements, PgBouncer 1.21 or newer), so the processes need no other setting.
*/}}
{{- define "stockyard.pgbouncerConfiguration" -}}
[databases]
* = host={{ .server.host }} port={{ .server.port }}
[pgbouncer]
listen_addr = *
listen_port = 6432
unix_socket_dir =
auth_type = scram-sha-256
auth_file = /run/pgbouncer/users.txt
pool_mode = transaction
default_pool_size = {{ .root.Values.pgbouncer.poolSize }}
max_client_conn = {{ .root.Values.pgbouncer.maxClientConnections }}
max_prepared_statements = {{ .root.Values.pgbouncer.maxPreparedStatements }}
server_tls_sslmode = {{ .root.Values.pgbouncer.serverTlsMode }}
; Who waits for a server connection is told before it gives up by itself (DATABASE_ANSWER_TIMEOUT_MS).
query_wait_timeout = 8
; A server that fails over is found again soon, at whatever address its name has then.
server_connect_timeout = 3
server_login_retry = 1
dns_max_ttl = 5
{{- range $name, $value := .root.Values.pgbouncer.settings }}
{{ $name }} = {{ include "stockyard.text" $value }}
{{- end }}
{{- end -}}
