{{/* Where Postgres and Redis are. */}}

{{/* "host:port,host:port" of the home shard, past any pooler. */}}
{{- define "stockyard.homeHosts" -}}
{{- if .Values.bundled.postgres.enabled -}}
{{ include "stockyard.fullname" . }}-postgres:5432
{{- else -}}
{{ join "," .Values.database.hosts }}
{{- end -}}
{{- end -}}

{{/* A URL without a login: (dict "root" $ "hosts" "a:5432,b:5432"). */}}
{{- define "stockyard.databaseUrl" -}}
postgres://{{ .hosts }}/{{ .root.Values.database.name }}
{{- with .root.Values.database.parameters }}?{{ . }}{{ end -}}
{{- end -}}

{{/* The three variables of Postgres, as YAML of a map; the processes put role and password in themselves. */}}
{{- define "stockyard.databaseVariables" -}}
{{- $root := . -}}
DATABASE_URL: {{ include "stockyard.databaseUrl" (dict "root" $root "hosts" (include "stockyard.homeHosts" $root)) | quote }}
{{- $replicas := list }}
{{- range .Values.database.replicas }}
{{- $replicas = append $replicas (include "stockyard.databaseUrl" (dict "root" $root "hosts" .)) }}
{{- end }}
DATABASE_REPLICA_URLS: {{ join "," $replicas | quote }}
{{- $shards := dict }}
{{- range $name, $shard := .Values.database.shards }}
{{- $urls := list }}
{{- range $shard.replicas }}
{{- $urls = append $urls (include "stockyard.databaseUrl" (dict "root" $root "hosts" .)) }}
{{- end }}
{{- $url := include "stockyard.databaseUrl" (dict "root" $root "hosts" (join "," $shard.hosts)) }}
{{- $shards = set $shards $name (dict "url" $url "replica_urls" $urls) }}
{{- end }}
DATABASE_SHARDS: {{ empty $shards | ternary "" (toJson $shards) | quote }}
{{- end -}}

{{/* The same through PgBouncer: each server has a bouncer of its own, as the processes tell servers apart by their addresses. */}}
{{- define "stockyard.pooledVariables" -}}
{{- $root := . -}}
{{- $home := list -}}
{{- $replicas := list -}}
{{- $shards := dict -}}
{{- range (include "stockyard.poolers" . | fromYamlArray) -}}
{{- $address := printf "%s:6432" .name -}}
{{- $url := printf "postgres://%s/%s" $address $root.Values.database.name -}}
{{- if eq .shard "main" -}}
{{- if .replica }}{{ $replicas = append $replicas $url }}{{ else }}{{ $home = append $home $address }}{{ end -}}
{{- else -}}
{{- $shard := get $shards .shard | default (dict "hosts" list "replica_urls" list) -}}
{{- if .replica -}}
{{- $shard = set $shard "replica_urls" (append $shard.replica_urls $url) -}}
{{- else -}}
{{- $shard = set $shard "hosts" (append $shard.hosts $address) -}}
{{- end -}}
{{- $shards = set $shards .shard $shard -}}
{{- end -}}
{{- end -}}
{{- $rendered := dict -}}
{{- range $name, $shard := $shards -}}
{{- $url := printf "postgres://%s/%s" (join "," $shard.hosts) $root.Values.database.name -}}
{{- $rendered = set $rendered $name (dict "url" $url "replica_urls" $shard.replica_urls) -}}
{{- end -}}
DATABASE_URL: {{ printf "postgres://%s/%s" (join "," $home) .Values.database.name | quote }}
DATABASE_REPLICA_URLS: {{ join "," $replicas | quote }}
DATABASE_SHARDS: {{ empty $rendered | ternary "" (toJson $rendered) | quote }}
{{- end -}}

{{/* A bouncer for each server, as a YAML list of {name, shard, replica, host, port}. */}}
{{- define "stockyard.poolers" -}}
{{- $prefix := printf "%s-pgbouncer" (include "stockyard.fullname" .) -}}
{{- $servers := list -}}
{{- range $index, $host := splitList "," (include "stockyard.homeHosts" .) -}}
{{- $servers = append $servers (dict "name" (printf "%s-main-%d" $prefix $index) "shard" "main" "replica" false "address" $host) -}}
{{- end -}}
{{- range $index, $host := .Values.database.replicas -}}
{{- $servers = append $servers (dict "name" (printf "%s-main-replica-%d" $prefix $index) "shard" "main" "replica" true "address" $host) -}}
{{- end -}}
{{- range $name, $shard := .Values.database.shards -}}
{{- range $index, $host := $shard.hosts -}}
{{- $servers = append $servers (dict "name" (printf "%s-%s-%d" $prefix $name $index) "shard" $name "replica" false "address" $host) -}}
{{- end -}}
{{- range $index, $host := $shard.replicas -}}
{{- $servers = append $servers (dict "name" (printf "%s-%s-replica-%d" $prefix $name $index) "shard" $name "replica" true "address" $host) -}}
{{- end -}}
{{- end -}}
{{- range $servers }}
{{- $parts := splitList ":" .address }}
- name: {{ .name }}
  shard: {{ .shard }}
  replica: {{ .replica }}
  host: {{ first $parts | quote }}
  port: {{ last $parts }}
{{- end -}}
{{- end -}}

{{/* The variables of Redis that hold no secret, as YAML of a map. */}}
{{- define "stockyard.redisVariables" -}}
{{- if not (or .Values.bundled.redis.enabled .Values.redis.urlsInSecret) -}}
REDIS_URL: {{ .Values.redis.queueUrl | quote }}
REDIS_CACHE_URL: {{ .Values.redis.cacheUrl | quote }}
REDIS_LIMITS_URL: {{ .Values.redis.limitsUrl | quote }}
{{- end -}}
{{- end -}}
