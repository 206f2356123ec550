{{/*
Values by their meaning. YAML knows 1, "1", true and "true" as four things; users mean one.
*/}}

{{/* "true" when the value is a switch that is on, else "". A map is a valueFrom: the value is known only
in the cluster, and what it may need is rendered. */}}
{{- define "posthorn.on" -}}
{{- if kindIs "map" . -}}
true
{{- else if has (toString . | trim | lower) (list "1" "01" "true" "yes" "on" "y") -}}
true
{{- end -}}
{{- end -}}

{{/* (list $ "NAME"): the same for a variable of deployment.env */}}
{{- define "posthorn.envOn" -}}
{{- include "posthorn.on" (index (index . 0).Values.deployment.env (index . 1)) -}}
{{- end -}}

{{- define "posthorn.proxyOn" -}}
{{- include "posthorn.on" .Values.proxyProtocol.enabled -}}
{{- end -}}

{{/* Mailboxes, and the protocols to reach them, exist only without SMTP_ONLY. */}}
{{- define "posthorn.mailboxProtocolOn" -}}
{{- $root := index . 0 -}}
{{- if not (include "posthorn.envOn" (list $root "SMTP_ONLY")) -}}
{{- include "posthorn.envOn" . -}}
{{- end -}}
{{- end -}}

{{/* Either monitor needs the port. */}}
{{- define "posthorn.metricsOn" -}}
{{- if include "posthorn.webPort" . -}}
{{- include "posthorn.on" .Values.metrics.enabled | default (include "posthorn.on" .Values.metrics.serviceMonitor.enabled) -}}
{{- end -}}
{{- end -}}
