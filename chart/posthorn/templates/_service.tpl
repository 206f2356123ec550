{{/*
The parts of the Service that the world reaches.
*/}}

{{/* JSON list: mail, rspamd and metrics ports in the order that docker-mailserver's chart has */}}
{{- define "posthorn.withAdminPorts" -}}
{{- $ports := include "posthorn.ports" . | fromJsonArray -}}
{{- range include "posthorn.adminPorts" . | fromJsonArray -}}
{{- if eq .name "metrics" }}{{ $ports = append $ports . }}{{ end -}}
{{- end -}}
{{- toJson $ports -}}
{{- end -}}

{{/* Prometheus installations without an operator find what to scrape by these. */}}
{{- define "posthorn.scrapeAnnotations" -}}
{{- if include "posthorn.metricsOn" . }}
prometheus.io/scrape: {{ .Values.monitoring.service.scrape | quote }}
prometheus.io/probe: {{ .Values.monitoring.service.probe | quote }}
prometheus.io/path: {{ .Values.monitoring.service.path | quote }}
prometheus.io/port: {{ .Values.monitoring.service.port | toString | quote }}
{{- end }}
{{- end -}}

{{- define "posthorn.serviceAnnotations" -}}
{{- $scrape := dict -}}
{{- if not (include "posthorn.on" .Values.service.admin.enabled) -}}
{{- $scrape = include "posthorn.scrapeAnnotations" . | fromYaml -}}
{{- end -}}
{{- include "posthorn.overlay" (list $scrape .Values.service.annotations) -}}
{{- end -}}

{{/* Everything about addresses and who may come. The spelling clusterIp is docker-mailserver's. */}}
{{- define "posthorn.serviceAddress" -}}
{{- $service := .Values.service -}}
{{- $type := $service.type | default "ClusterIP" -}}
{{- $out := dict -}}
{{- $loadBalancer := list "loadBalancerIP" "loadBalancerClass" "loadBalancerSourceRanges" "allocateLoadBalancerNodePorts" -}}
{{- $fields := list "trafficDistribution" "ipFamilyPolicy" "ipFamilies" "externalIPs" "internalTrafficPolicy" "sessionAffinity" "sessionAffinityConfig" "publishNotReadyAddresses" -}}
{{- if eq $type "LoadBalancer" }}{{ $fields = concat $fields $loadBalancer (list "healthCheckNodePort") }}{{ end -}}
{{- range $fields -}}
{{- $value := get $service . -}}
{{- if or $value (kindIs "bool" $value) }}{{ $_ := set $out . $value }}{{ end -}}
{{- end -}}
{{- with $service.clusterIp }}{{ $_ := set $out "clusterIP" . }}{{ end -}}
{{- if has $type (list "NodePort" "LoadBalancer") -}}
{{- $policy := $service.externalTrafficPolicy | default (eq $type "LoadBalancer" | ternary "Local" "Cluster") -}}
{{- $_ := set $out "externalTrafficPolicy" $policy -}}
{{- end -}}
{{- if $out }}{{ toYaml $out }}{{ end -}}
{{- end -}}
