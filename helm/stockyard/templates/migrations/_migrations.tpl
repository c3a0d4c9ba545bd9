{{/*
Where the databases are there before the release, migrations are a hook: before a release is installed or upgraded, they run to their
end, and when they fail nothing of the release is touched. A bundled Postgres comes with the release, so there they are a Job of it,
and processes start again until it is done.
*/}}
{{- define "stockyard.migrationsAreHook" -}}
{{- if not .Values.bundled.postgres.enabled -}}true{{- end -}}
{{- end -}}

{{/*
Hooks come before everything else of the release, its ServiceAccount and NetworkPolicies included: the Job brings its own, which are
gone when it has succeeded.
*/}}
{{- define "stockyard.hookAnnotations" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: {{ .delete }}
{{- end -}}
