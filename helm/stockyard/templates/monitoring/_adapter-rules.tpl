{{/*
Rules of prometheus-adapter, which makes Kubernetes' metrics of Prometheus' series. "rules" serve the api's autoscaler, "externalRules"
the workers' where they are scaled by a HorizontalPodAutoscaler. << and >> are the adapter's own templates.
*/}}
{{- define "stockyard.adapterRules" -}}
rules:
  {{- range $series := list "http_requests_per_second" "stockyard_http_p95_seconds" }}
  - seriesQuery: '{{ $series }}{namespace!="",pod!=""}'
    resources:
      overrides:
        namespace:
          resource: namespace
        pod:
          resource: pod
    name:
      matches: ^{{ $series }}$
      as: {{ $series }}
    metricsQuery: max by (<<.GroupBy>>) (<<.Series>>{<<.LabelMatchers>>})
  {{- end }}
externalRules:
  {{- range $group, $own := .Values.worker.groups }}
  - seriesQuery: 'stockyard_queue_backlog_seconds{namespace!=""}'
    resources:
      overrides:
        namespace:
          resource: namespace
    name:
      matches: ^stockyard_queue_backlog_seconds$
      as: stockyard_slots_wanted_{{ $group | replace "-" "_" }}
    metricsQuery: max(stockyard_queue_jobs{state="active",<<.LabelMatchers>>} + ignoring(state) stockyard_queue_backlog_seconds{<<.LabelMatchers>>} * clamp_min(stockyard_queue_slots{<<.LabelMatchers>>}, 1) / {{ $own.autoscaling.drainSeconds }})
  {{- end }}
  - seriesQuery: 'stockyard_queue_jobs{namespace!="",state="waiting"}'
    resources:
      overrides:
        namespace:
          resource: namespace
    name:
      matches: ^stockyard_queue_jobs$
      as: stockyard_jobs_waiting
    metricsQuery: max(sum by (instance) (stockyard_queue_jobs{state="waiting",<<.LabelMatchers>>}))
{{- end -}}
