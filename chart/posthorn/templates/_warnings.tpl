{{/*
What NOTES.txt warns of: set-ups that work, but perhaps not as their owner thinks.
*/}}

{{- define "posthorn.warn.hostname" -}}
{{- if eq (include "posthorn.hostname" .) "mail.example.com" -}}
deployment.env.OVERRIDE_HOSTNAME is still mail.example.com. Set it to the name of your server.
{{- end -}}
{{- end -}}

{{- define "posthorn.warn.certificate" -}}
{{- if not (or (include "posthorn.certificate" .) .Values.deployment.env.SSL_TYPE) -}}
No certificate is given (certificate, or certManager): the server makes a self-signed one, which mail
programs warn of.
{{- end -}}
{{- end -}}

{{- define "posthorn.warn.image" -}}
{{- if include "posthorn.imageIsDockerMailserver" . -}}
image.name is that of docker-mailserver, which cannot run here: {{ include "posthorn.image" . }} runs
instead. Remove image.name and image.tag from your values.
{{- end -}}
{{- end -}}

{{- define "posthorn.warn.clientAddress" -}}
{{- $type := .Values.service.type | default "ClusterIP" -}}
{{- if and (has $type (list "LoadBalancer" "NodePort")) (contains "externalTrafficPolicy: Cluster" (include "posthorn.serviceAddress" .)) -}}
externalTrafficPolicy is Cluster: all mail seems to come from the addresses of your nodes. Use Local, or the
ports that take a PROXY header. Never trust those addresses to relay (PERMIT_DOCKER): that would be an open
relay.
{{- else if and (eq $type "LoadBalancer") (include "posthorn.proxyOn" .) -}}
On k3s, the load balancer klipper-lb cannot send the PROXY header; use externalTrafficPolicy: Local there,
or Traefik with traefik.enabled.
{{- end -}}
{{- end -}}

{{- define "posthorn.warn.permitDocker" -}}
{{- if has (toString .Values.deployment.env.PERMIT_DOCKER) (list "network" "connected-networks" "host") -}}
PERMIT_DOCKER={{ .Values.deployment.env.PERMIT_DOCKER }} lets pods and nodes of those networks relay without a
login. With an ingress or load balancer that hides client addresses that is everybody.
{{- end -}}
{{- end -}}

{{- define "posthorn.warn.scanners" -}}
{{- if or (include "posthorn.envOn" (list . "ENABLE_RSPAMD")) (include "posthorn.envOn" (list . "ENABLE_CLAMAV")) -}}
rspamd and ClamAV run where they are switched on, but this version passes no mail to them. Without
ENABLE_RSPAMD and ENABLE_CLAMAV the image and the memory it needs are much smaller.
{{- end -}}
{{- end -}}

{{- define "posthorn.warn.adminPorts" -}}
{{- $type := .Values.service.type | default "ClusterIP" -}}
{{- if and (ne $type "ClusterIP") (not (include "posthorn.on" .Values.service.admin.enabled)) (include "posthorn.adminPorts" . | fromJsonArray) -}}
The Service that the world reaches has ports for administration
({{ range $i, $p := include "posthorn.adminPorts" . | fromJsonArray }}{{ if $i }}, {{ end }}{{ .name }} {{ .port }}{{ end }}). Set service.admin.enabled=true to move them to one of their own.
{{- end -}}
{{- end -}}

{{- define "posthorn.warn.ephemeral" -}}
{{- range include "posthorn.mounts" . | fromJsonArray }}
{{- if .ephemeral }}
{{ .mountPath }} has no claim: what is in it is lost with the pod.
{{- end }}
{{- end }}
{{- end -}}

{{/* What the server reads in /tmp/docker-mailserver */}}
{{- define "posthorn.filesRead" -}}
dovecot-masters.cf dovecot-quotas.cf fetchmail.cf postfix-accounts.cf postfix-aliases.cf
postfix-receive-access.cf postfix-regexp.cf postfix-relaymap.cf postfix-sasl-password.cf postfix-send-access.cf
postfix-virtual.cf
{{- end -}}

{{- define "posthorn.warn.configs" -}}
{{- $read := include "posthorn.filesRead" . | splitList "\n" | join " " | splitList " " -}}
{{- range include "posthorn.config" . | fromJsonArray }}
{{- $file := trimPrefix "/tmp/docker-mailserver/" .path }}
{{- $dead := regexMatch "^/etc/(postfix|dovecot|rspamd|amavis|fail2ban|cron|supervisor)" .path }}
{{- if ne $file .path }}
{{- $dead = not (or (has $file $read) (regexMatch "^(getmail|opendkim|rspamd/dkim|rspamd/override.d/dkim_signing.conf|ssl)(/|$)" $file)) }}
{{- end }}
{{- if $dead }}
{{ .from }}.{{ .key }} is mounted at {{ .path }}, where Posthorn looks for nothing.
{{- end }}
{{- end }}
{{- end -}}

{{- define "posthorn.warn.deadKeys" -}}
{{- if .Values.rblRejectDomains }}
rblRejectDomains has no effect, as it had none in docker-mailserver's chart: no blocklist is asked.
{{- end }}
{{- if include "posthorn.on" .Values.dovecot.fullTextSearch.enabled }}
dovecot.fullTextSearch has no effect but on text in your configMaps.
{{- end }}
{{- with .Values.service.loadBalancer }}
service.loadBalancer is service.loadBalancerIP and service.loadBalancerSourceRanges; it has no effect.
{{- end }}
{{- end -}}

{{- define "posthorn.warn.hostNetwork" -}}
{{- if include "posthorn.on" .Values.deployment.hostNetwork -}}
hostNetwork: the pod has no right to ports below 1024 of its node. Allow it there:
sysctl net.ipv4.ip_unprivileged_port_start=0
{{- end -}}
{{- end -}}

{{- define "posthorn.warn.strategy" -}}
{{- if ne (dig "type" "" (.Values.deployment.strategy | default dict)) "Recreate" -}}
deployment.strategy is not Recreate: the new pod cannot become ready before the old one has let go of the
mail queue.
{{- end -}}
{{- end -}}

{{- define "posthorn.knownKeys" -}}
certificate certificateAlternative certManager commonAnnotations commonLabels configMaps deployment
dovecot existingSecrets extraDeploy fullnameOverride gateway global image metrics monitoring
nameOverride networkPolicy persistence persistent_volume_claims podDisruptionBudget
prefixConfigNames proxyProtocol rblRejectDomains rspamd secrets securityContext service
serviceAccount test tmp traefik
{{- end -}}

{{- define "posthorn.warn.unknownKeys" -}}
{{- $known := include "posthorn.knownKeys" . | splitList "\n" | join " " | splitList " " -}}
{{- range $key := keys .Values | sortAlpha }}
{{- if not (has $key $known) }}
{{ $key }} is no key of this chart. It is kept for your own templates (extraDeploy, configMaps).
{{- end }}
{{- end }}
{{- end -}}

{{- define "posthorn.warnings" -}}
{{- $root := . -}}
{{- range list "hostname" "certificate" "image" "clientAddress" "permitDocker" "scanners" "adminPorts" "ephemeral" "configs" "deadKeys" "hostNetwork" "strategy" "unknownKeys" }}
{{- with include (printf "posthorn.warn.%s" .) $root | trim }}

{{ . }}
{{- end }}
{{- end }}
{{- end -}}
