{{/*
The parts of the pod. Each returns fields for the place that deployment.yaml puts it in.
*/}}

{{/* docker-mailserver's image named in values from before means: the default. It could not run here. */}}
{{- define "posthorn.imageIsDockerMailserver" -}}
{{- if regexMatch "^((docker\\.io|ghcr\\.io)/)?(docker-)?mailserver/docker-mailserver$" (.Values.image.name | default "") -}}
true
{{- end -}}
{{- end -}}

{{/* The companions (rspamd, clamav, fetchmail, getmail) are in an image of their own. */}}
{{- define "posthorn.imageName" -}}
{{- $name := "posthorn/posthorn" -}}
{{- $root := . -}}
{{- range list "ENABLE_RSPAMD" "ENABLE_CLAMAV" "ENABLE_FETCHMAIL" "ENABLE_GETMAIL" -}}
{{- if include "posthorn.envOn" (list $root .) }}{{ $name = "posthorn/posthorn-full" }}{{ end -}}
{{- end -}}
{{- if and .Values.image.name (not (include "posthorn.imageIsDockerMailserver" .)) }}{{ $name = .Values.image.name }}{{ end -}}
{{- with .Values.image.registry }}{{ $name = printf "%s/%s" . $name }}{{ end -}}
{{- $name -}}
{{- end -}}

{{- define "posthorn.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{- if include "posthorn.imageIsDockerMailserver" . }}{{ $tag = .Chart.AppVersion }}{{ end -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" (include "posthorn.imageName" .) .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" (include "posthorn.imageName" .) (toString $tag) -}}
{{- end -}}
{{- end -}}

{{/* Where the pod runs and how it is connected: fields of the pod that have the same name in values. */}}
{{- define "posthorn.podFields" -}}
{{- $deployment := .Values.deployment -}}
{{- $hostNetwork := include "posthorn.on" $deployment.hostNetwork -}}
{{- $out := dict -}}
{{- range list "affinity" "dnsConfig" "dnsPolicy" "hostAliases" "hostname" "nodeSelector" "priorityClassName" "runtimeClassName" "schedulerName" "subdomain" "tolerations" "topologySpreadConstraints" -}}
{{- if get $deployment . }}{{ $_ := set $out . (get $deployment .) }}{{ end -}}
{{- end -}}
{{- if $hostNetwork -}}
{{- $_ := set $out "hostNetwork" true -}}
{{- if not $deployment.dnsPolicy }}{{ $_ := set $out "dnsPolicy" "ClusterFirstWithHostNet" }}{{ end -}}
{{- end -}}
{{- if $out }}{{ tpl (toYaml $out) . }}{{ end -}}
{{- end -}}

{{/* For a Prometheus that looks at pods. The port is where the server listens. */}}
{{- define "posthorn.podScrapeAnnotations" -}}
{{- $pod := .Values.monitoring.pod -}}
{{- if and (include "posthorn.metricsOn" .) (include "posthorn.on" $pod.scrape) }}
prometheus.io/scrape: "true"
prometheus.io/probe: {{ $pod.probe | quote }}
prometheus.io/path: {{ $pod.path | quote }}
prometheus.io/port: {{ include "posthorn.webPort" . | quote }}
{{- end }}
{{- end -}}

{{- define "posthorn.certificateVolumes" -}}
{{- with include "posthorn.certificate" . }}
- name: certificate
  secret:
    secretName: {{ . }}
{{- end }}
{{- with include "posthorn.certificateAlternative" . }}
- name: certificate-alternative
  secret:
    secretName: {{ . }}
{{- end }}
{{- end -}}

{{/* Whole directories, because those follow a renewed Secret while the pod runs. */}}
{{- define "posthorn.certificateMounts" -}}
{{- if include "posthorn.certificate" . }}
- name: certificate
  mountPath: /tmp/dms/custom-certs
  readOnly: true
{{- end }}
{{- if include "posthorn.certificateAlternative" . }}
- name: certificate-alternative
  mountPath: /tmp/dms/custom-certs-alternative
  readOnly: true
{{- end }}
{{- end -}}

{{/* Probes ask the server's own web; without it there is nothing honest to ask. */}}
{{- define "posthorn.probes" -}}
{{- $root := . -}}
{{- range list "startupProbe" "livenessProbe" "readinessProbe" }}
{{- $probe := get $root.Values.deployment . }}
{{- if and $probe (or (include "posthorn.webPort" $root) (not (dig "httpGet" "path" "" $probe))) }}
{{ . }}:
  {{- toYaml $probe | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Everything about the server's container but its name */}}
{{- define "posthorn.container" -}}
{{- $deployment := .Values.deployment -}}
image: {{ include "posthorn.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with $deployment.command }}
command:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $deployment.args }}
args:
  {{- toYaml . | nindent 2 }}
{{- end }}
env:
  {{- include "posthorn.env" . | trim | nindent 2 }}
{{- with include "posthorn.envFrom" . | trim }}
envFrom:
  {{- . | nindent 2 }}
{{- end }}
ports:
  {{- include "posthorn.containerPorts" . | trim | nindent 2 }}
{{- include "posthorn.probes" . }}
{{- with $deployment.lifecycle }}
lifecycle:
  {{- toYaml . | nindent 2 }}
{{- end }}
# Why the server ended is its last line; `kubectl describe pod` shows it then.
terminationMessagePolicy: FallbackToLogsOnError
resources:
  {{- toYaml $deployment.resources | nindent 2 }}
{{- if and $deployment.resizePolicy (semverCompare ">=1.33-0" .Capabilities.KubeVersion.Version) }}
resizePolicy:
  {{- toYaml $deployment.resizePolicy | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml $deployment.containerSecurityContext | nindent 2 }}
volumeMounts:
  {{- include "posthorn.storageMounts" . | trim | nindent 2 }}
  {{- with include "posthorn.certificateMounts" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with include "posthorn.configMounts" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $deployment.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
