{{/* Names and labels. */}}

{{- define "stockyard.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough that "-pgbouncer-<shard>-replica-0" still fits into the 63 characters of a label. */}}
{{- define "stockyard.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 30 | trimSuffix "-" -}}
{{- else if contains (include "stockyard.name" .) .Release.Name -}}
{{- .Release.Name | trunc 30 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "stockyard.name" .) | trunc 30 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What finds the pods of a component: (dict "root" $ "component" "worker" "group" "fast"), group only for workers of one group. */}}
{{- define "stockyard.selectorLabels" -}}
app.kubernetes.io/name: {{ include "stockyard.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- with .group }}
worker-group: {{ . }}
{{- end }}
{{- end -}}

{{- define "stockyard.labels" -}}
{{ include "stockyard.selectorLabels" . }}
app.kubernetes.io/version: {{ include "stockyard.tag" .root | quote }}
app.kubernetes.io/part-of: stockyard
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name (.root.Chart.Version | replace "+" "_") }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "stockyard.tag" -}}
{{- .Values.image.tag | default .Chart.AppVersion -}}
{{- end -}}

{{/* Reference of an image of the platform: (dict "root" $ "image" .Values.api.image). A digest wins over the tag. */}}
{{- define "stockyard.image" -}}
{{- with .root.Values.image.registry }}{{ . }}/{{ end -}}
{{ .image.repository }}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ include "stockyard.tag" .root }}{{ end -}}
{{- end -}}

{{- define "stockyard.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "stockyard.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/* Whole mebibytes of "512Mi" or "2Gi". */}}
{{- define "stockyard.mebibytes" -}}
{{- if hasSuffix "Gi" . -}}{{ mul (trimSuffix "Gi" . | int64) 1024 }}{{- else -}}{{ trimSuffix "Mi" . | int64 }}{{- end -}}
{{- end -}}
