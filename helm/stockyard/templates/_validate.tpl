{{/* What values.schema.json cannot say: settings that need each other. Included by the ConfigMap, which is always rendered. */}}
{{- define "stockyard.validate" -}}
{{- $v := .Values -}}
{{- if and (not $v.bundled.postgres.enabled) (empty $v.database.hosts) -}}
{{- fail "database.hosts: name the servers of the home shard, such as [postgres-rw:5432], or set bundled.postgres.enabled to try the platform." -}}
{{- end -}}
{{- if and $v.bundled.postgres.enabled (not (empty $v.database.hosts)) -}}
{{- fail "database.hosts and bundled.postgres.enabled exclude each other: leave one out." -}}
{{- end -}}
{{- if not (or $v.bundled.redis.enabled $v.redis.urlsInSecret $v.redis.queueUrl) -}}
{{- fail "redis.queueUrl: say where the Redis of the queues is, set redis.urlsInSecret, or bundled.redis.enabled to try the platform." -}}
{{- end -}}
{{- if and $v.bundled.redis.enabled (or $v.redis.urlsInSecret $v.redis.queueUrl) -}}
{{- fail "bundled.redis.enabled excludes redis.queueUrl and redis.urlsInSecret: leave one out." -}}
{{- end -}}
{{- if not (or $v.storage.s3.bucket $v.storage.claim.existingClaim $v.storage.claim.create) -}}
{{- fail "storage: files need a place that all pods share: storage.s3.bucket, or storage.claim.existingClaim, or storage.claim.create." -}}
{{- end -}}
{{- $seen := dict -}}
{{- range $name, $group := $v.worker.groups -}}
{{- range $class := $group.classes -}}
{{- if hasKey $seen $class -}}
{{- fail (printf "worker.groups: class %s is in %s and in %s; each class belongs to one group, which is scaled by it." $class (get $seen $class) $name) -}}
{{- end -}}
{{- $_ := set $seen $class $name -}}
{{- end -}}
{{- end -}}
{{- range $class := list "critical" "high" "normal" "low" "bulk" -}}
{{- if not (hasKey $seen $class) -}}
{{- fail (printf "worker.groups: no group runs class %s; its jobs would wait for ever." $class) -}}
{{- end -}}
{{- end -}}
{{- range $name, $group := $v.worker.groups -}}
{{- with $group.autoscaling -}}
{{- if lt (int .maxReplicas) (int .minReplicas) -}}
{{- fail (printf "worker.groups.%s.autoscaling: maxReplicas is less than minReplicas." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if lt (int $v.api.autoscaling.maxReplicas) (int $v.api.autoscaling.minReplicas) -}}
{{- fail "api.autoscaling: maxReplicas is less than minReplicas." -}}
{{- end -}}
{{- if and (eq $v.worker.autoscaler "keda") (not $v.keda.prometheusUrl) -}}
{{- fail "keda.prometheusUrl: KEDA asks Prometheus for the queues; say where it is." -}}
{{- end -}}
{{- end -}}
