{{- define "loadtest.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 53 | trimSuffix "-" }}
{{- end }}

{{/* One name when the release's and the chart's say the same, else both. */}}
{{- define "loadtest.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 53 | trimSuffix "-" }}
{{- else if contains (include "loadtest.name" .) .Release.Name }}
{{- .Release.Name | trunc 53 | trimSuffix "-" }}
{{- else if hasPrefix .Release.Name (include "loadtest.name" .) }}
{{- include "loadtest.name" . }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "loadtest.name" .) | trunc 53 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "loadtest.selectorLabels" -}}
app.kubernetes.io/name: {{ include "loadtest.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "loadtest.labels" -}}
{{ include "loadtest.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "loadtest.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "loadtest.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "loadtest.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* What values.schema.json can't say in words that help. */}}
{{- define "loadtest.check" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.leaderElection.enabled) }}
{{- fail (printf "replicas: %d operator pods need leaderElection.enabled=true, by which one of them works" (int .Values.replicas)) }}
{{- end }}
{{- range $at, $variable := .Values.env }}
{{- if eq .name "RUST_LOG" }}
{{- fail (printf "env[%d]: RUST_LOG is set by logLevel" $at) }}
{{- else if eq .name "AGENT_IMAGE" }}
{{- fail (printf "env[%d]: AGENT_IMAGE is the operator's own image: image.repository, image.tag and image.digest set it" $at) }}
{{- else if has .name (list "POD_NAMESPACE" "POD_NAME") }}
{{- fail (printf "env[%d]: %s is set by the chart" $at .name) }}
{{- end }}
{{- end }}
{{- $level := "(off|error|warn|info|debug|trace)" }}
{{- if not (regexMatch (printf "^([^,]+=)?%s(,([^,]+=)?%s)*$" $level $level) .Values.logLevel) }}
{{- fail (printf "logLevel: %q is neither error, warn, info, debug or trace, nor directives such as info,loadtest_operator=debug" .Values.logLevel) }}
{{- end }}
{{- end }}

{{/* Everything the operator may do in a namespace whose LoadTests it runs. No Secrets, no pods/exec, no wildcard. */}}
{{- define "loadtest.rules" -}}
# Deleted: those whose ttlSecondsAfterFinished is over.
- apiGroups: [loadtest.dev]
  resources: [loadtests]
  verbs: [get, list, watch, patch, delete]
- apiGroups: [loadtest.dev]
  resources: [loadtests/status]
  verbs: [patch]
- apiGroups: [loadtest.dev]
  resources: [loadtests/finalizers]
  verbs: [update]
# Targets: sized, rolled out, put back.
- apiGroups: [apps]
  resources: [deployments, statefulsets]
  verbs: [get, list, patch]
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [list]
# What could disturb a run, or explains why it doesn't start.
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list]
- apiGroups: [keda.sh]
  resources: [scaledobjects]
  verbs: [list]
- apiGroups: [""]
  resources: [resourcequotas, events]
  verbs: [list]
- apiGroups: [""]
  resources: [services]
  verbs: [get]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list]
# Pods: the generators get their start by an annotation; the targets' are watched, and deleted by actions.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, patch, delete]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [metrics.k8s.io]
  resources: [pods]
  verbs: [list]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [create, get, list, patch, delete]
# What actions[].job copies.
- apiGroups: [batch]
  resources: [cronjobs]
  verbs: [get]
# The plan for the pods, and the results.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [create, get, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
