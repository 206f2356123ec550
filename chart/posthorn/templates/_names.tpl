{{/*
What objects are called. The names are those that docker-mailserver's chart gave, so that an upgrade
from it keeps Deployment, Service and claims: the base is "docker-mailserver", not this chart's name.
*/}}
{{- define "posthorn.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $base := .Values.nameOverride | default "docker-mailserver" -}}
{{- if contains $base .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $base | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Users call these from extraDeploy and configMaps: they keep working. */}}
{{- define "dockermailserver.fullname" -}}{{ include "posthorn.fullname" . }}{{- end -}}
{{- define "dockermailserver.serviceAccountName" -}}{{ include "posthorn.serviceAccountName" . }}{{- end -}}

{{/* (list $ "suffix"): fullname-suffix, short enough for a label */}}
{{- define "posthorn.named" -}}
{{- $suffix := index . 1 -}}
{{- $room := sub 62 (len $suffix) | int -}}
{{- printf "%s-%s" (include "posthorn.fullname" (index . 0) | trunc $room | trimSuffix "-") $suffix -}}
{{- end -}}

{{- define "posthorn.serviceAccountName" -}}
{{- if include "posthorn.on" .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "posthorn.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "docker-mailserver" -}}
{{- end -}}
{{- end -}}

{{/* Any text as the name of a volume: "postfix-accounts.cf" is "postfix-accounts-cf". */}}
{{- define "posthorn.dashed" -}}
{{- regexReplaceAll "[^a-z0-9-]" (lower .) "-" | trimAll "-" -}}
{{- end -}}

{{/* The Service that carries rspamd's and the metrics port. */}}
{{- define "posthorn.adminService" -}}
{{- if include "posthorn.on" .Values.service.admin.enabled -}}
{{- include "posthorn.named" (list . "admin") -}}
{{- else -}}
{{- include "posthorn.fullname" . -}}
{{- end -}}
{{- end -}}

{{/* Of the server that others see, as the certificate names it. */}}
{{- define "posthorn.hostname" -}}
{{- $name := .Values.deployment.env.OVERRIDE_HOSTNAME -}}
{{- if kindIs "string" $name -}}{{ $name }}{{- end -}}
{{- end -}}
