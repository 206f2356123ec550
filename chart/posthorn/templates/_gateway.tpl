{{/*
Gateway API. Its routes for TCP and TLS became stable only lately: the version is what the cluster
offers, or what the user says where the chart is rendered without a cluster.
*/}}

{{/* (list $ "TCPRoute" "v1" "v1alpha2" ...): the first of the versions that the cluster has, else the last */}}
{{- define "posthorn.gatewayVersion" -}}
{{- $root := index . 0 -}}
{{- $kind := index . 1 -}}
{{- $found := get $root.Values.gateway.apiVersions $kind -}}
{{- range slice . 2 -}}
{{- $version := printf "gateway.networking.k8s.io/%s" . -}}
{{- if and (not $found) ($root.Capabilities.APIVersions.Has (printf "%s/%s" $version $kind)) }}{{ $found = $version }}{{ end -}}
{{- end -}}
{{- $found | default (printf "gateway.networking.k8s.io/%s" (last .)) -}}
{{- end -}}

{{/* (list parents "imaps"): each parent with the listener that is called like the port, unless it names one */}}
{{- define "posthorn.parentRefs" -}}
{{- $name := index . 1 -}}
{{- range index . 0 }}
{{- $parent := . }}
{{- if not (or .sectionName .port) }}{{ $parent = merge (dict "sectionName" $name) . }}{{ end }}
- {{ toYaml $parent | nindent 2 | trim }}
{{- end }}
{{- end -}}
