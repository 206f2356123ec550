{{/*
The rules of the NetworkPolicy.
*/}}

{{/* Pods of every namespace, but nobody outside of the cluster */}}
{{- define "posthorn.anyPod" -}}
- namespaceSelector: {}
{{- end -}}

{{/*
Who may open the ports that believe a PROXY header. Unless said otherwise: the trusted networks, and pods
of the cluster, because some networks do not count pods as part of an address range. The server itself
still refuses whoever is in none of the trusted networks.
*/}}
{{- define "posthorn.proxyPeers" -}}
{{- if .Values.networkPolicy.proxyFrom -}}
{{ toYaml .Values.networkPolicy.proxyFrom }}
{{- else -}}
{{ include "posthorn.anyPod" . }}
{{- range include "posthorn.trustedNetworks" . | fromJsonArray }}
- ipBlock:
    cidr: {{ include "posthorn.cidr" . | quote }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* A lone address as a network */}}
{{- define "posthorn.cidr" -}}
{{- if contains "/" . }}{{ . }}{{ else }}{{ . }}/{{ contains ":" . | ternary "128" "32" }}{{ end -}}
{{- end -}}

{{- define "posthorn.networkIngress" -}}
{{- $root := . -}}
{{- $plain := list -}}
{{- $proxy := list -}}
{{- $admin := list -}}
{{- range include "posthorn.ports" . | fromJsonArray -}}
{{- if .admin }}{{ $admin = append $admin .port -}}
{{- else if .proxyOf }}{{ $proxy = append $proxy .port -}}
{{- else }}{{ $plain = append $plain .port }}{{ end -}}
{{- end -}}
{{- with include "posthorn.webPort" . }}{{ $admin = append $admin . }}{{ end -}}
{{- with .Values.networkPolicy.mailFrom }}
- from:
    {{- toYaml . | nindent 4 }}
    {{- if include "posthorn.on" $root.Values.test.enabled }}
    # helm test
    - podSelector:
        matchLabels:
          {{- include "posthorn.testLabels" $root | nindent 10 }}
    {{- end }}
  ports:
{{- else }}
# Mail comes from anywhere.
- ports:
{{- end }}
    {{- include "posthorn.tcpPorts" $plain | trim | nindent 4 }}
{{- if $proxy }}
- from:
    {{- include "posthorn.proxyPeers" . | trim | nindent 4 }}
  ports:
    {{- include "posthorn.tcpPorts" $proxy | trim | nindent 4 }}
{{- end }}
{{- if $admin }}
- from:
    {{- with .Values.networkPolicy.adminFrom }}
    {{- toYaml . | nindent 4 }}
    {{- else }}
    {{- include "posthorn.anyPod" . | nindent 4 }}
    {{- end }}
  ports:
    {{- include "posthorn.tcpPorts" $admin | trim | nindent 4 }}
{{- end }}
{{- end -}}

{{- define "posthorn.tcpPorts" -}}
{{- range $index, $port := . }}
{{- if $index }}
{{ end -}}
- {port: {{ $port }}, protocol: TCP}
{{- end }}
{{- end -}}

{{/*
DNS, mail, directories, web (certificates' CRLs, MTA-STS, lists of the scanners) and scanners outside of
the pod. A relay or a directory on a port of its own is read from the environment.
*/}}
{{- define "posthorn.networkEgress" -}}
{{- $env := .Values.deployment.env -}}
{{- $ports := list 25 465 587 80 443 389 636 3310 11332 11333 11334 6379 -}}
{{- range list $env.RELAY_PORT (include "posthorn.portOf" $env.DEFAULT_RELAY_HOST) (include "posthorn.portOf" $env.LDAP_SERVER_HOST) (include "posthorn.portOf" $env.OAUTH2_INTROSPECTION_URL) -}}
{{- if and . (not (kindIs "map" .)) }}{{ $ports = append $ports (int .) }}{{ end -}}
{{- end -}}
{{- if or (include "posthorn.envOn" (list . "ENABLE_FETCHMAIL")) (include "posthorn.envOn" (list . "ENABLE_GETMAIL")) -}}
{{- $ports = concat $ports (list 110 143 993 995) -}}
{{- end }}
- ports:
    {{- include "posthorn.dnsPorts" . | trim | nindent 4 }}
- ports:
    {{- include "posthorn.tcpPorts" ($ports | uniq) | nindent 4 }}
{{- end -}}

{{/* 5353 is where the pods of OpenShift's DNS listen. */}}
{{- define "posthorn.dnsPorts" -}}
{{- range list 53 5353 }}
- {port: {{ . }}, protocol: UDP}
- {port: {{ . }}, protocol: TCP}
{{- end }}
{{- end -}}

{{/* The port at the end of "[host]:port", "host:port" or "scheme://host:port/path"; "" without one */}}
{{- define "posthorn.portOf" -}}
{{- if kindIs "string" . -}}
{{- regexFind ":[0-9]+(/|$)" . | trimPrefix ":" | trimSuffix "/" -}}
{{- end -}}
{{- end -}}
