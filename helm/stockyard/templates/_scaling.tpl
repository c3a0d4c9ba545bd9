{{/* How fast an autoscaler may go: upwards by the larger of two steps, downwards slowly and after a while. */}}
{{- define "stockyard.scalingBehavior" -}}
scaleUp:
  stabilizationWindowSeconds: {{ .up.stabilizationSeconds }}
  selectPolicy: Max
  policies:
    - type: Percent
      value: {{ .up.percent }}
      periodSeconds: {{ .up.periodSeconds }}
    - type: Pods
      value: {{ .up.pods }}
      periodSeconds: {{ .up.periodSeconds }}
scaleDown:
  stabilizationWindowSeconds: {{ .down.stabilizationSeconds }}
  selectPolicy: Max
  policies:
    - type: Percent
      value: {{ .down.percent }}
      periodSeconds: {{ .down.periodSeconds }}
{{- end -}}

{{/*
Slots that a class wants: those that are busy, and as many as finish what waits within drainSeconds. waiting x service time is
backlog x slots, where a class without a worker is reckoned with one slot. Both metrics processes say the same: the greater counts.
(dict "class" "bulk" "drainSeconds" 300 "matchers" "namespace=\"x\"").
*/}}
{{- define "stockyard.slotsWanted" -}}
{{- $matchers := printf "job_class=\"%s\"" .class -}}
{{- with .matchers }}{{ $matchers = printf "%s,%s" $matchers . }}{{ end -}}
max(stockyard_queue_jobs{state="active",{{ $matchers }}} + ignoring(state) stockyard_queue_backlog_seconds{ {{- $matchers -}} } * clamp_min(stockyard_queue_slots{ {{- $matchers -}} }, 1) / {{ .drainSeconds }})
{{- end -}}

{{/* Jobs that wait in the classes of a group: (dict "classes" (list "low" "bulk") "matchers" "…"). */}}
{{- define "stockyard.jobsWaiting" -}}
{{- $matchers := printf "job_class=~\"%s\"" (join "|" .classes) -}}
{{- with .matchers }}{{ $matchers = printf "%s,%s" $matchers . }}{{ end -}}
max(sum by (instance) (stockyard_queue_jobs{state="waiting",{{ $matchers }}}))
{{- end -}}
