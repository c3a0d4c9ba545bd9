{{/* The environment of the processes: what is no secret from one ConfigMap, secrets by reference. */}}

{{/* A value of a ConfigMap or of an environment: YAML reads whole numbers as floats, and 2147483648 would become 2.147483648e+09. */}}
{{- define "stockyard.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{ printf "%d" (int64 .) }}{{- else -}}{{ toString . }}{{- end -}}
{{- end -}}

{{- define "stockyard.configMapName" -}}
{{ include "stockyard.fullname" . }}-environment
{{- end -}}

{{/* What all processes share, as YAML of a map. */}}
{{- define "stockyard.sharedVariables" -}}
NODE_ENV: production
HOST: {{ .Values.listenAddress | quote }}
API_PORT: "3000"
WORKER_PORT: "3001"
METRICS_PORT: "3002"
{{/* The release that logs and stockyard_build_info name. */ -}}
npm_package_version: {{ include "stockyard.tag" . | quote }}
{{ include "stockyard.databaseVariables" . }}
{{- with include "stockyard.redisVariables" . }}
{{ . }}
{{- end }}
STORAGE_DIR: /var/lib/stockyard/files
{{- with .Values.storage.s3 }}
STORAGE_S3_BUCKET: {{ .bucket | quote }}
STORAGE_S3_ENDPOINT: {{ .endpoint | quote }}
STORAGE_S3_LINK_ENDPOINT: {{ .linkEndpoint | quote }}
STORAGE_S3_REGION: {{ .region | quote }}
STORAGE_S3_PATH_STYLE: {{ .pathStyle | ternary "on" "off" | quote }}
{{- end }}
RATE_LIMIT_REPLICAS: {{ .Values.api.autoscaling.enabled | ternary .Values.api.autoscaling.minReplicas .Values.api.replicas | int | quote }}
{{- range $name, $value := .Values.config }}
{{ $name }}: {{ include "stockyard.text" $value | quote }}
{{- end }}
{{- end -}}

{{/* One variable from a secret: (dict "name" "JWT_SECRET" "secret" "stockyard" "key" "JWT_SECRET" "optional" true). */}}
{{- define "stockyard.secretVariable" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key | default .name }}
      {{- if .optional }}
      optional: true
      {{- end }}
{{- end -}}

{{/* Passwords of the roles that every process logs in as, and that a pooler knows. */}}
{{- define "stockyard.roleSecrets" -}}
{{- range $name := list "DATABASE_APP_PASSWORD" "DATABASE_RELAY_PASSWORD" "DATABASE_CONTROL_PASSWORD" "DATABASE_MONITOR_PASSWORD" }}
{{ include "stockyard.secretVariable" (dict "name" $name "secret" $.Values.secrets.existingSecret) }}
{{- end }}
{{- end -}}

{{/*
Without these a process does not start in production; others are none of its business (libs/config/src/secrets.ts):
(dict "root" $ "component" "api").
*/}}
{{- define "stockyard.ownSecrets" -}}
{{- $known := dict
  "api" (list "ADMIN_TOKEN" "JWT_SECRET" "MESSAGING_SECRET")
  "worker" (list "DATABASE_MOVER_PASSWORD" "MESSAGING_SECRET")
  "metrics" (list "ADMIN_TOKEN" "JWT_SECRET" "MESSAGING_SECRET")
  "migrate" (list "DATABASE_MOVER_PASSWORD")
}}
{{- range $name := get $known .component }}
{{ include "stockyard.secretVariable" (dict "name" $name "secret" $.root.Values.secrets.existingSecret) }}
{{- end }}
{{- end -}}

{{/* Every secret of a process: (dict "root" $ "component" "api"). A key that is optional and missing sets nothing. */}}
{{- define "stockyard.secretVariables" -}}
{{- $root := .root }}
{{- $secret := $root.Values.secrets.existingSecret }}
{{- include "stockyard.roleSecrets" $root }}
{{- include "stockyard.ownSecrets" . }}
{{- range $name := list "MESSAGING_SECRET_BEFORE" "REGIONS_SECRET" "OTEL_EXPORTER_OTLP_HEADERS" }}
{{ include "stockyard.secretVariable" (dict "name" $name "secret" $secret "optional" true) }}
{{- end }}
{{- if $root.Values.storage.s3.bucket }}
{{- range $name := list "STORAGE_S3_ACCESS_KEY_ID" "STORAGE_S3_SECRET_ACCESS_KEY" }}
{{ include "stockyard.secretVariable" (dict "name" $name "secret" $secret) }}
{{- end }}
{{- end }}
{{- if $root.Values.bundled.redis.enabled }}
{{ include "stockyard.secretVariable" (dict "name" "REDIS_PASSWORD" "secret" $secret) }}
- name: REDIS_URL
  value: redis://:$(REDIS_PASSWORD)@{{ include "stockyard.fullname" $root }}-redis-queue:6379
- name: REDIS_CACHE_URL
  value: redis://:$(REDIS_PASSWORD)@{{ include "stockyard.fullname" $root }}-redis-cache:6379
{{- else if $root.Values.redis.urlsInSecret }}
{{ include "stockyard.secretVariable" (dict "name" "REDIS_URL" "secret" $secret) }}
{{- range $name := list "REDIS_CACHE_URL" "REDIS_LIMITS_URL" }}
{{ include "stockyard.secretVariable" (dict "name" $name "secret" $secret "optional" true) }}
{{- end }}
{{- end }}
{{- end -}}
