{{- define "mailvane.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* The names of boards are added to it, and of pods; 63 characters are the most that a label may have. */}}
{{- define "mailvane.fullname" -}}
{{- $name := include "mailvane.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "mailvane.selectorLabels" -}}
app.kubernetes.io/name: {{ include "mailvane.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "mailvane.labels" -}}
{{ include "mailvane.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "mailvane.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "mailvane.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "mailvane.claimName" -}}
{{- default (include "mailvane.fullname" .) .Values.persistence.existingClaim -}}
{{- end -}}

{{- define "mailvane.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "mailvane.ingressURL" -}}
{{- printf "%s://%s" (ternary "https" "http" (not (empty .Values.ingress.tlsSecret))) .Values.ingress.host -}}
{{- end -}}

{{/* The configuration file: the values of config, with what the chart decides. */}}
{{- define "mailvane.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $http := dict "listen" "0.0.0.0:9464" -}}
{{- if .Values.ingress.enabled -}}
{{- $_ := set $http "external_url" (include "mailvane.ingressURL" .) -}}
{{- end -}}
{{- $_ := set $config "http" (merge (dict) (default (dict) $config.http) $http) -}}
{{- $_ := set $config "ledger" (merge (dict "path" "/var/lib/mailvane/ledger.db") (default (dict) $config.ledger)) -}}
{{- toYaml $config -}}
{{- end -}}

{{- define "mailvane.scheme" -}}
{{- ternary "HTTPS" "HTTP" (and (not (empty .Values.webConfig.existingSecret)) .Values.webConfig.tls) -}}
{{- end -}}

{{/* How a probe asks: dict "root" $ "path" "/-/…". */}}
{{- define "mailvane.probe" -}}
{{- if and .root.Values.webConfig.existingSecret .root.Values.webConfig.auth -}}
tcpSocket:
  port: http
{{- else -}}
httpGet:
  path: {{ .path }}
  port: http
  scheme: {{ include "mailvane.scheme" .root }}
{{- end -}}
{{- end -}}

{{/* What a schema cannot say. */}}
{{- define "mailvane.validate" -}}
{{- if not .Values.image.repository -}}
{{- fail "image.repository is empty: build the image from the Dockerfile and name it here (docs/kubernetes.md has the commands)" -}}
{{- end -}}
{{- if not (default (dict) .Values.config.collectors) -}}
{{- fail "config.collectors is empty: name a source to read, such as config.collectors.ses[0].queue_url (docs/aws.md makes the queue)" -}}
{{- end -}}
{{- if hasKey .Values.configFiles "mailvane.yaml" -}}
{{- fail "configFiles: mailvane.yaml is made of the values of config" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.host is empty: name the host under which people reach the pages" -}}
{{- end -}}
{{- if and .Values.webConfig.auth (not .Values.webConfig.existingSecret) -}}
{{- fail "webConfig.auth is true and webConfig.existingSecret is empty: without the secret's file nothing asks for passwords" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not (dig "telemetry" "prometheus" true .Values.config)) -}}
{{- fail "serviceMonitor.enabled needs /metrics, which config.telemetry.prometheus: false takes away" -}}
{{- end -}}
{{- range list "app.kubernetes.io/name" "app.kubernetes.io/instance" -}}
{{- if hasKey (default (dict) $.Values.podLabels) . -}}
{{- fail (printf "podLabels: %s is the chart's own, by which the service finds its pod" .) -}}
{{- end -}}
{{- end -}}
{{- range list "checksum/config" "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes" -}}
{{- if hasKey (default (dict) $.Values.podAnnotations) . -}}
{{- fail (printf "podAnnotations: %s is the chart's own" .) -}}
{{- end -}}
{{- end -}}
{{- range .Values.prometheusRule.files -}}
{{- if not ($.Files.Get (printf "files/prometheus/%s" .)) -}}
{{- fail (printf "prometheusRule.files: there is no %s in the folder files/prometheus of the chart" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
