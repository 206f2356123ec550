{{/*
Every port of the server, once. Deployment, Services, NetworkPolicy and routes take theirs from here.
*/}}

{{/*
The order, the names (15 characters at most) and the numbers are those of docker-mailserver's chart.

  for       which switch brings the port
  proxyOf   demands a PROXY header; the plain port of the same protocol
  tls       from the first byte: can be routed by server name
  nodePort  when the Service has type NodePort; nodePortKey where service.nodePort calls it differently
  admin     not for users of mail
*/}}
{{- define "posthorn.portTable" -}}
- {name: smtp, port: 25, for: smtp, nodePort: 30025}
- {name: submissions, port: 465, for: smtp, nodePort: 30465, nodePortKey: smtps, tls: true}
- {name: submission, port: 587, for: smtp, nodePort: 30587}
- {name: smtp-proxy, port: 12525, for: smtp, proxyOf: smtp}
- {name: subs-proxy, port: 10465, for: smtp, proxyOf: submissions, tls: true}
- {name: sub-proxy, port: 10587, for: smtp, proxyOf: submission}
- {name: imap, port: 143, for: imap, nodePort: 30143}
- {name: imaps, port: 993, for: imap, nodePort: 30993, tls: true}
- {name: imap-proxy, port: 10143, for: imap, proxyOf: imap}
- {name: imaps-proxy, port: 10993, for: imap, proxyOf: imaps, tls: true}
- {name: pop3, port: 110, for: pop3, nodePort: 30110}
- {name: pop3s, port: 995, for: pop3, nodePort: 30995, tls: true}
- {name: pop3-proxy, port: 10110, for: pop3, proxyOf: pop3}
- {name: pop3s-proxy, port: 10995, for: pop3, proxyOf: pop3s, tls: true}
- {name: rspamd, port: 11334, for: rspamd, admin: true}
- {name: managesieve, port: 4190, for: sieve}
- {name: msieve-proxy, port: 14190, for: sieve, proxyOf: managesieve}
{{- end -}}

{{/* Where /healthz, /readyz and /metrics are; "" when the server's web is off. */}}
{{- define "posthorn.webPort" -}}
{{- $port := .Values.deployment.env.POSTHORN_WEB_PORT -}}
{{- if not (has (toString $port) (list "0" "" "<nil>")) -}}{{ $port }}{{- end -}}
{{- end -}}

{{/* JSON list of the table's rows that are on */}}
{{- define "posthorn.ports" -}}
{{- $on := dict
    "smtp" "true"
    "imap" (include "posthorn.mailboxProtocolOn" (list . "ENABLE_IMAP"))
    "pop3" (include "posthorn.mailboxProtocolOn" (list . "ENABLE_POP3"))
    "sieve" (include "posthorn.mailboxProtocolOn" (list . "ENABLE_MANAGESIEVE"))
    "rspamd" (include "posthorn.envOn" (list . "ENABLE_RSPAMD")) -}}
{{- $proxy := include "posthorn.proxyOn" . -}}
{{- $out := list -}}
{{- range include "posthorn.portTable" . | fromYamlArray -}}
{{- if and (get $on .for) (or (not .proxyOf) $proxy) -}}
{{- $out = append $out . -}}
{{- end -}}
{{- end -}}
{{- toJson $out -}}
{{- end -}}

{{/* JSON list of the ports that users of mail connect to, plain or with a PROXY header */}}
{{- define "posthorn.mailPorts" -}}
{{- $out := list -}}
{{- range include "posthorn.ports" . | fromJsonArray -}}
{{- if not .admin }}{{ $out = append $out . }}{{ end -}}
{{- end -}}
{{- toJson $out -}}
{{- end -}}

{{/* JSON list of what ingresses forward: per protocol its name, and the port of the Service to go to */}}
{{- define "posthorn.routedPorts" -}}
{{- $root := index . 0 -}}
{{- $wantsProxy := and (include "posthorn.on" (index . 1)) (include "posthorn.proxyOn" $root) -}}
{{- $proxyPort := dict -}}
{{- range include "posthorn.mailPorts" $root | fromJsonArray -}}
{{- if .proxyOf }}{{ $_ := set $proxyPort .proxyOf .port }}{{ end -}}
{{- end -}}
{{- $out := list -}}
{{- range include "posthorn.mailPorts" $root | fromJsonArray -}}
{{- if not .proxyOf -}}
{{- $port := ternary (get $proxyPort .name) .port (not (not $wantsProxy)) -}}
{{- $out = append $out (dict "name" .name "port" $port "tls" .tls "proxy" (not (not $wantsProxy))) -}}
{{- end -}}
{{- end -}}
{{- toJson $out -}}
{{- end -}}

{{- define "posthorn.containerPorts" -}}
{{- $hostPorts := .Values.deployment.hostPorts -}}
{{- range include "posthorn.ports" . | fromJsonArray }}
- name: {{ .name }}
  containerPort: {{ .port }}
  {{- if and (include "posthorn.on" $hostPorts.enabled) (not .admin) }}
  hostPort: {{ .port }}
  {{- end }}
  protocol: TCP
{{- end }}
{{- with include "posthorn.webPort" . }}
- name: metrics
  containerPort: {{ . }}
  protocol: TCP
{{- end }}
{{- end -}}

{{/* (list $ ports hidden withNodePorts): ports of a Service. hidden: a map of port names to false. */}}
{{- define "posthorn.servicePorts" -}}
{{- $root := index . 0 -}}
{{- $shown := index . 2 | default dict -}}
{{- $nodePorts := $root.Values.service.nodePort | default dict -}}
{{- $fixed := index . 3 -}}
{{- range index . 1 }}
{{- if or (not (hasKey $shown .name)) (include "posthorn.on" (get $shown .name)) }}
- name: {{ .name }}
  port: {{ .port }}
  targetPort: {{ .targetPort | default .name }}
  protocol: TCP
  {{- with .appProtocol }}
  appProtocol: {{ . }}
  {{- end }}
  {{- if $fixed }}
  {{- with get $nodePorts (.nodePortKey | default .name) | default (get $nodePorts .name) | default .nodePort }}
  nodePort: {{ . }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* JSON list: rspamd and metrics, as ports of a Service */}}
{{- define "posthorn.adminPorts" -}}
{{- $out := list -}}
{{- range include "posthorn.ports" . | fromJsonArray -}}
{{- if .admin }}{{ $out = append $out . }}{{ end -}}
{{- end -}}
{{- if include "posthorn.metricsOn" . -}}
{{- $port := .Values.monitoring.service.port | default 9102 | int -}}
{{- $out = append $out (dict "name" "metrics" "port" $port) -}}
{{- end -}}
{{- toJson $out -}}
{{- end -}}
