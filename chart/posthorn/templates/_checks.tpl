{{/*
What stops the render: values that cannot work or would lose mail. Each check returns a message, or "".
*/}}

{{- define "posthorn.check.legacy" -}}
{{- with include "posthorn.legacyMessage" . | trim -}}
These values are from version 2 of docker-mailserver's chart. Please rename them:

{{ . | indent 2 }}

docs/upgrade-from-docker-mailserver.md tells more.
{{- end -}}
{{- end -}}

{{/* The journal of accepted mail has one writer; a second pod would wait for it for ever. */}}
{{- define "posthorn.check.replicas" -}}
{{- if gt (int .Values.deployment.replicas) 1 -}}
deployment.replicas is {{ .Values.deployment.replicas }}, but only 0 and 1 work:
{{- range $name, $claim := include "posthorn.claims" . | fromJson }}
{{- if and $claim.enabled (not (has "ReadWriteMany" ($claim.accessModes | default list))) }}
  - {{ $name }} is ReadWriteOnce: a pod on a second node could not mount it.
{{- end }}
{{- end }}
  - The journal in mail-state, which makes accepted mail durable, has a single writer: a second pod
    would never become ready.
One pod restarts within seconds, and senders try again meanwhile.
{{- end -}}
{{- end -}}

{{- define "posthorn.check.trustedNetworks" -}}
{{- if include "posthorn.proxyOn" . -}}
{{- $networks := include "posthorn.trustedNetworks" . | fromJsonArray -}}
{{- if not $networks -}}
proxyProtocol.enabled needs proxyProtocol.trustedNetworks: the addresses of what sends the PROXY header.
{{- end -}}
{{- range $networks -}}
{{- if regexMatch "/0+$" . }}
proxyProtocol.trustedNetworks has {{ . }}: then anybody could claim to be any client.
{{- else if not (regexMatch "^[0-9a-fA-F.:]+(/[0-9]{1,3})?$" .) }}
proxyProtocol.trustedNetworks has "{{ . }}", which is not a network like 10.0.0.0/8.
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "posthorn.check.configs" -}}
{{- $root := . -}}
{{- range $kind := list "configMaps" "secrets" }}
{{- range $key, $entry := get $.Values $kind }}
{{- if $entry }}
{{- if not (kindIs "string" $entry.path) }}
{{ $kind }}.{{ $key }}.path must be text, and quoted when it looks like something else (y, on, 12).
{{- end }}
{{- if and (include "posthorn.on" $entry.create) (not (kindIs "string" ($entry.stringData | default $entry.data))) }}
{{ $kind }}.{{ $key }}.data is missing, although create is true.
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Two entries, one object: a.b and a-b */}}
{{- define "posthorn.check.configNames" -}}
{{- $seen := dict -}}
{{- range include "posthorn.config" . | fromJsonArray -}}
{{- if .create -}}
{{- $id := printf "%s/%s" .kind .object -}}
{{- with get $seen $id }}
{{ $.Release.Name }}: {{ . }} would both be the {{ $id }}; give one of them another name.
{{- end -}}
{{- $_ := set $seen $id (printf "%s.%s" .from .key) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A directory cannot be part of the read-only volume: only keys that are named can. */}}
{{- define "posthorn.check.projected" -}}
{{- $root := . -}}
{{- range include "posthorn.config" . | fromJsonArray -}}
{{- if and (not .item) (include "posthorn.config.isProjected" (list $root .)) }}
{{ .from }}.{{ .key }} is a directory: with persistence.mail-config.projected its keys must be listed in
{{ .from }}.{{ .key }}.keys.
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "posthorn.check.extraEnv" -}}
{{- $seen := dict -}}
{{- range .Values.deployment.extraEnv -}}
{{- if hasKey $seen .name }}
deployment.extraEnv has {{ .name }} twice.
{{- end -}}
{{- $_ := set $seen .name true -}}
{{- end -}}
{{- end -}}

{{- define "posthorn.check.certManager" -}}
{{- if include "posthorn.certManagerOn" . -}}
{{- if not .Values.certManager.issuerRef.name -}}
certManager.issuerRef.name is missing: the Issuer that is to sign.
{{- else if not (or .Values.certManager.dnsNames (include "posthorn.hostname" .)) -}}
certManager.dnsNames is missing: deployment.env.OVERRIDE_HOSTNAME is not plain text to take the name from.
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "posthorn.check.routes" -}}
{{- if and (include "posthorn.on" .Values.gateway.enabled) (not .Values.gateway.parentRefs) -}}
gateway.parentRefs is missing: the Gateway that the routes belong to.
{{- end -}}
{{- end -}}

{{- define "posthorn.checks" -}}
{{- $root := . -}}
{{- range list "legacy" "replicas" "trustedNetworks" "configs" "configNames" "projected" "extraEnv" "certManager" "routes" -}}
{{- with include (printf "posthorn.check.%s" .) $root | trim -}}
{{- fail (printf "\n\n%s\n" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
