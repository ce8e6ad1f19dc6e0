{{/* The name of everything. At most 56 characters, so that "-tokens" still fits into 63; a release's
     name has at most 53, so two releases of one namespace never meet. */}}
{{- define "preroll.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 56 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 56 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 56 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* For what lies outside the release's namespace, where releases of other namespaces may be: with
     the namespace in the name, and a hash where that is too long. */}}
{{- define "preroll.outsideName" -}}
{{- $name := printf "%s-%s" .Release.Namespace (include "preroll.fullname" .) -}}
{{- if eq .Release.Namespace (include "preroll.fullname" .) -}}
{{- $name = .Release.Namespace -}}
{{- end -}}
{{- if gt (len $name) 63 -}}
{{- $name = printf "%s-%s" ($name | trunc 54 | trimSuffix "-") (sha256sum $name | trunc 8) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "preroll.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "preroll.labels" -}}
{{ include "preroll.selectorLabels" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* "annotations" of an object's metadata: its own, and those of all objects. Nothing where there are
     none. */}}
{{- define "preroll.annotations" -}}
{{- with merge (dict) (.own | default dict) (.root.Values.commonAnnotations | default dict) }}
  annotations:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end -}}

{{- define "preroll.image" -}}
{{- with .Values.image -}}
{{- .repository -}}
{{- if .digest -}}@{{ .digest }}{{- else -}}:{{ .tag | default $.Chart.AppVersion }}{{- end -}}
{{- end -}}
{{- end -}}

{{- define "preroll.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "preroll.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "preroll.configMapName" -}}
{{- .Values.existingConfigMap | default (include "preroll.fullname" .) -}}
{{- end -}}

{{- define "preroll.claimName" -}}
{{- .Values.persistence.existingClaim | default (include "preroll.fullname" .) -}}
{{- end -}}

{{- define "preroll.tokensSecretName" -}}
{{- .Values.tokens.existingSecret | default (printf "%s-tokens" (include "preroll.fullname" .)) -}}
{{- end -}}

{{- define "preroll.triggerAuthenticationName" -}}
{{- .Values.keda.triggerAuthentication.name | default (include "preroll.fullname" .) -}}
{{- end -}}

{{- define "preroll.triggerSecretName" -}}
{{- .Values.keda.triggerAuthentication.existingSecret | default (printf "%s-token" (include "preroll.triggerAuthenticationName" .)) -}}
{{- end -}}

{{/* The settings as a map, whichever way they came, for what follows from them. An existing ConfigMap
     cannot be looked into: then "settings" says what its file says, as far as it matters here. */}}
{{- define "preroll.settings" -}}
{{- if and .Values.settingsFile (not .Values.existingConfigMap) -}}
{{- $read := fromYaml .Values.settingsFile -}}
{{- with $read.Error -}}
{{- fail (printf "settingsFile is not YAML: %s" .) -}}
{{- end -}}
{{- toYaml $read -}}
{{- else -}}
{{- toYaml (.Values.settings | default dict) -}}
{{- end -}}
{{- end -}}

{{/* settings.kubernetes with its defaults. */}}
{{- define "preroll.kubernetes" -}}
{{- $own := (include "preroll.settings" . | fromYaml).kubernetes | default dict -}}
{{- $defaults := dict "watch" false "namespaces" list "nodes" false "events" true -}}
{{- /* Not merge: to it, false is as good as nothing. */ -}}
{{- toYaml (mergeOverwrite $defaults $own) -}}
{{- end -}}

{{/* Whether the pod talks to the Kubernetes API: "true" or nothing. */}}
{{- define "preroll.watches" -}}
{{- if (include "preroll.kubernetes" . | fromYaml).watch -}}true{{- end -}}
{{- end -}}

{{/* What would start and then not work is refused here, with what to do instead. */}}
{{- define "preroll.refusals" -}}
{{- if ne (int .Values.replicaCount) 1 -}}
{{- fail (printf "replicaCount is %d and has to be 1: the embedded store has one writer, and several replicas come with the shared store, later. One pod answers thousands of triggers, and while it restarts the HPAs hold." (int .Values.replicaCount)) -}}
{{- end -}}
{{- $settings := include "preroll.settings" . | fromYaml -}}
{{- if not .Values.existingConfigMap -}}
{{- if not $settings.source -}}
{{- fail "no traffic to learn from: say where it comes from in settings.source, for example {prometheus: {url: \"http://prometheus.monitoring.svc:9090\", query: \"sum by (namespace, deployment) (rate(http_requests_total[2m]))\"}}" -}}
{{- end -}}
{{- if not (or $settings.workloads (include "preroll.watches" .)) -}}
{{- fail "nothing to plan for: name workloads in settings.workloads, for example [{namespace: streaming, name: player-api, capacity: 120}], or set settings.kubernetes.watch to true and let ScaledObjects declare themselves" -}}
{{- end -}}
{{- end -}}
{{- range $key := list "tokens" "events_tokens" -}}
{{- if get ($settings.server | default dict) $key -}}
{{- fail (printf "settings.server.%s: a ConfigMap is no place for tokens; put them into the Secret that \"tokens\" names, one a line" $key) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if regexMatch "^PREROLL_(SERVER__|STORE__PATH|KEDA__(URL|AUTHENTICATION|SECRET)$)" (.name | default "" | upper) -}}
{{- fail (printf "extraEnv: %s follows from the pod; change listen, service, tokens or keda instead" .name) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.tokens.create .Values.tokens.existingSecret -}}
{{- fail "tokens.create and tokens.existingSecret exclude each other: either this chart makes the Secret, or it uses yours" -}}
{{- end -}}
{{- if and .Values.tokens.create (not .Values.tokens.value) -}}
{{- fail "tokens.create needs tokens.value, one token a line; make one with: openssl rand -hex 32" -}}
{{- end -}}
{{- if and .Values.tokens.create .Values.tokens.events (not .Values.tokens.eventsValue) -}}
{{- fail "tokens.create and tokens.events need tokens.eventsValue, one token a line; make one with: openssl rand -hex 32" -}}
{{- end -}}
{{- end -}}

{{/* The rules of a Role or a ClusterRole, for settings.kubernetes: forecaster/cluster/rights.py. */}}
{{- define "preroll.rules" -}}
# Workloads that teams declare, and their bounds.
- apiGroups: [keda.sh]
  resources: [scaledobjects]
  verbs: [get, list, watch]
# Current and desired replicas, and why they differ.
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch]
# Replicas, and what one pod asks for.
- apiGroups: [apps]
  resources: [deployments, statefulsets]
  verbs: [get, list, watch]
# Lead time from pods' conditions; whether the plan fits.
- apiGroups: [""]
  resources: [pods, resourcequotas]
  verbs: [get, list, watch]
{{- if .events }}
# kubernetes.events: what is wrong with an object, told on it.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}
{{- end -}}
