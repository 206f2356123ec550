{{/*
Values of docker-mailserver's chart 2.x: keys that went away long ago. The render stops and says what they
are called today, because going on would start a server without the user's settings.
*/}}

{{- define "posthorn.legacyKeys" -}}
additionalVolumeMounts: deployment.extraVolumeMounts
additionalVolumes: deployment.extraVolumes
configMap: configMaps
demoMode: "nothing: add an account with `setup email add`, or by existingSecrets.accounts"
domains: "nothing: the domains are those of the accounts and aliases"
haproxy: proxyProtocol
initContainer: deployment.initContainers
livenessTests: deployment.livenessProbe
proxy_protocol: proxyProtocol
rainloop: "nothing: install a webmail of your choice beside this chart"
resources: deployment.resources
runtimeClassName: deployment.runtimeClassName
priorityClassName: deployment.priorityClassName
secret: secrets
spfTestsDisabled: deployment.env.ENABLE_POLICYD_SPF
ssl: certificate, or certManager
{{- end -}}

{{/* pod.dockermailserver was deployment and its env in one, with the variables in lower case. */}}
{{- define "posthorn.legacyPod" -}}
{{- $server := dig "dockermailserver" (dict) (.Values.pod | default dict) -}}
{{- range $key, $value := $server }}
{{- if has $key (list "securityContext" "containerSecurityContext" "annotations" "strategy" "hostNetwork" "resources") }}
pod.dockermailserver.{{ $key }} is deployment.{{ $key }}
{{- else if eq $key "image" }}
pod.dockermailserver.image is image.name and image.tag
{{- else if eq $key "hostPID" }}
pod.dockermailserver.hostPID is gone
{{- else }}
pod.dockermailserver.{{ $key }} is deployment.env.{{ upper $key }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The lines of the message; "" when there is nothing to say */}}
{{- define "posthorn.legacyMessage" -}}
{{- range $old, $new := include "posthorn.legacyKeys" . | fromYaml }}
{{- if hasKey $.Values $old }}
{{ $old }} is {{ $new }}
{{- end }}
{{- end }}
{{- include "posthorn.legacyPod" . }}
{{- range $key, $value := .Values.persistence }}
{{- if and (not (kindIs "map" $value)) (not (kindIs "invalid" $value)) }}
persistence.{{ $key }} is persistent_volume_claims.mail-data.{{ $key }}
{{- else if and (kindIs "map" $value) (has $key (list "annotations" "selector")) }}
persistence.{{ $key }} is persistent_volume_claims.mail-data.{{ $key }}
{{- end }}
{{- end }}
{{- end -}}
