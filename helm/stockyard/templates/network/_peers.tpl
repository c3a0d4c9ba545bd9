{{/* Rules of NetworkPolicies. */}}

{{/* To pods of a component of this release: (dict "root" $ "component" "postgres" "port" 5432). */}}
{{- define "stockyard.toComponent" -}}
- to:
    - podSelector:
        matchLabels:
          {{- include "stockyard.selectorLabels" . | nindent 10 }}
  ports:
    - port: {{ .port }}
      protocol: TCP
{{- end -}}

{{/* To services outside of the release: (dict "to" (list …) "ports" (list 5432)). No peers: every address, on these ports. */}}
{{- define "stockyard.toService" -}}
{{- if .ports -}}
- {{ with .to }}to:
    {{- toYaml . | nindent 4 }}
  {{ end }}ports:
    {{- range .ports }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- end -}}
{{- end -}}

{{- define "stockyard.toPostgres" -}}
{{- if .Values.bundled.postgres.enabled }}
{{ include "stockyard.toComponent" (dict "root" . "component" "postgres" "port" 5432) }}
{{- else }}
{{ include "stockyard.toService" .Values.networkPolicy.postgres }}
{{- end }}
{{- end -}}

{{/* What each of the processes talks to. */}}
{{- define "stockyard.toSharedServices" -}}
{{- include "stockyard.toPostgres" . }}
{{- if .Values.pgbouncer.enabled }}
{{ include "stockyard.toComponent" (dict "root" . "component" "pgbouncer" "port" 6432) }}
{{- end }}
{{- if .Values.bundled.redis.enabled }}
{{ include "stockyard.toComponent" (dict "root" . "component" "redis-queue" "port" 6379) }}
{{ include "stockyard.toComponent" (dict "root" . "component" "redis-cache" "port" 6379) }}
{{- else }}
{{ include "stockyard.toService" .Values.networkPolicy.redis }}
{{- end }}
{{- if .Values.storage.s3.bucket }}
{{ include "stockyard.toService" .Values.networkPolicy.objectStore }}
{{- end }}
{{- with include "stockyard.toService" .Values.networkPolicy.tracing }}
{{ . }}
{{- end }}
{{- with .Values.networkPolicy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* From peers of the values on a port: (dict "from" (list …) "port" 3000). No peers: nobody. */}}
{{- define "stockyard.fromPeers" -}}
{{- if .from }}
- from:
    {{- toYaml .from | nindent 4 }}
  ports:
    - port: {{ .port }}
      protocol: TCP
{{- end }}
{{- end -}}
