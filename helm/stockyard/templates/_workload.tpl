{{/*
A Deployment of one of the processes:
(dict "root" $ "component" "worker" "group" "fast" "name" "…-worker-fast" "port" 3001 "values" .Values.worker "replicas" 2 "variables" (dict …)).
"replicas" is left out where an autoscaler sets them, or each upgrade would set them back.
*/}}
{{- define "stockyard.deployment" -}}
{{- $root := .root -}}
{{- $values := .values -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  labels:
    {{- include "stockyard.labels" . | nindent 4 }}
spec:
  {{- if .replicas }}
  replicas: {{ .replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  minReadySeconds: {{ $values.minReadySeconds }}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: {{ $values.maxSurge }}
      maxUnavailable: 0
  selector:
    matchLabels:
      {{- include "stockyard.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "stockyard.labels" . | nindent 8 }}
        {{- with $values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        {{- /* A change of the ConfigMap starts new pods; a change of a secret does not: kubectl rollout restart. */}}
        checksum/environment: {{ include "stockyard.sharedVariables" $root | sha256sum }}
        {{- with $values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- include "stockyard.podDefaults" . | nindent 6 }}
      {{- include "stockyard.placement" . | nindent 6 }}
      terminationGracePeriodSeconds: {{ add $values.preStopSeconds $values.shutdownGraceSeconds 5 }}
      containers:
        - name: {{ .component }}
          image: {{ include "stockyard.image" (dict "root" $root "image" $values.image) }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          securityContext:
            {{- toYaml $root.Values.containerSecurityContext | nindent 12 }}
          ports:
            - name: http
              containerPort: {{ .port }}
              protocol: TCP
          envFrom:
            - configMapRef:
                name: {{ include "stockyard.configMapName" $root }}
          env:
            {{- include "stockyard.secretVariables" . | trim | nindent 12 }}
            {{- $heap := div (mul (include "stockyard.mebibytes" $values.resources.limits.memory | int64) $values.heapPercent) 100 }}
            - name: NODE_OPTIONS
              value: --max-old-space-size={{ $heap }} --max-semi-space-size=8 --v8-pool-size=0
            - name: SHUTDOWN_GRACE_MS
              value: {{ mul $values.shutdownGraceSeconds 1000 | quote }}
            {{- $variables := merge (dict) $values.config .variables }}
            {{- range $name, $value := $variables }}
            - name: {{ $name }}
              value: {{ include "stockyard.text" $value | quote }}
            {{- end }}
          {{- include "stockyard.probes" $values.probes | nindent 10 }}
          {{- if $values.preStopSeconds }}
          lifecycle:
            preStop:
              sleep:
                seconds: {{ $values.preStopSeconds }}
          {{- end }}
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          {{- include "stockyard.volumeMounts" $root | nindent 10 }}
      {{- include "stockyard.volumes" $root | nindent 6 }}
{{- end -}}

{{/* What every pod of the platform has in common. */}}
{{- define "stockyard.podDefaults" -}}
{{- $root := .root -}}
serviceAccountName: {{ .serviceAccount | default (include "stockyard.serviceAccountName" $root) }}
automountServiceAccountToken: false
{{- /* The variables of service links have names such as API_PORT, which a Service called "api" would set to tcp://… */}}
enableServiceLinks: false
securityContext:
  {{- toYaml $root.Values.podSecurityContext | nindent 2 }}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Pods of one kind on different zones and nodes, where there are any. */}}
{{- define "stockyard.placement" -}}
{{- $values := .values -}}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: {{ $values.zoneSpread }}
    labelSelector:
      matchLabels:
        {{- include "stockyard.selectorLabels" . | nindent 8 }}
    matchLabelKeys:
      - pod-template-hash
affinity:
  {{- if $values.affinity }}
  {{- toYaml $values.affinity | nindent 2 }}
  {{- else }}
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "stockyard.selectorLabels" . | nindent 14 }}
  {{- end }}
{{- end -}}

{{/*
Liveness asks for the event loop alone and readiness for this process alone: were a shared server to count, its outage would restart
every process, or take every one out of its Service. /health tells of shared servers and belongs to monitoring.
*/}}
{{- define "stockyard.probes" -}}
startupProbe:
  httpGet:
    path: /api/ready
    port: http
  periodSeconds: 2
  timeoutSeconds: {{ .timeoutSeconds }}
  failureThreshold: {{ div .startupSeconds 2 }}
livenessProbe:
  httpGet:
    path: /live
    port: http
  periodSeconds: 10
  timeoutSeconds: {{ .timeoutSeconds }}
  failureThreshold: 3
readinessProbe:
  httpGet:
    path: /api/ready
    port: http
  periodSeconds: 5
  timeoutSeconds: {{ .timeoutSeconds }}
  failureThreshold: 2
{{- end -}}

{{- define "stockyard.volumeMounts" -}}
{{- if or (not .Values.storage.s3.bucket) .Values.extraVolumeMounts -}}
volumeMounts:
  {{- if not .Values.storage.s3.bucket }}
  - name: files
    mountPath: /var/lib/stockyard/files
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "stockyard.volumes" -}}
{{- if or (not .Values.storage.s3.bucket) .Values.extraVolumes -}}
volumes:
  {{- if not .Values.storage.s3.bucket }}
  - name: files
    persistentVolumeClaim:
      claimName: {{ .Values.storage.claim.existingClaim | default (printf "%s-files" (include "stockyard.fullname" .)) }}
  {{- end }}
  {{- with .Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* One pod at a time may be taken away by a drain of its node, and a pod that is not ready always. */}}
{{- define "stockyard.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .name }}
  labels:
    {{- include "stockyard.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "stockyard.selectorLabels" . | nindent 6 }}
{{- end -}}
