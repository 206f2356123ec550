{{/*
What the pod may do. The defaults are in values.yaml; here is what depends on the cluster.
*/}}

{{- define "posthorn.onOpenShift" -}}
{{- if .Capabilities.APIVersions.Has "security.openshift.io/v1" }}true{{ end -}}
{{- end -}}

{{/*
deployment.securityContext and, for those who found out that docker-mailserver's chart read that one, the
key securityContext. OpenShift chooses the user and the group itself and refuses others.

Ports below 1024 need no capability: a sysctl that Kubernetes counts as safe opens them to everybody in
the pod's own network. In the network of the node there is no such thing.
*/}}
{{- define "posthorn.podSecurityContext" -}}
{{- $context := include "posthorn.overlay" (list .Values.deployment.securityContext (.Values.securityContext | default dict)) | fromYaml -}}
{{- if include "posthorn.onOpenShift" . -}}
{{- $context = omit $context "runAsUser" "runAsGroup" "fsGroup" -}}
{{- end -}}
{{- if not (include "posthorn.on" .Values.deployment.hostNetwork) -}}
{{- $ports := dict "name" "net.ipv4.ip_unprivileged_port_start" "value" "0" -}}
{{- $_ := set $context "sysctls" (prepend ($context.sysctls | default list) $ports | uniq) -}}
{{- end -}}
{{- toYaml $context -}}
{{- end -}}

{{/* For the pod of `helm test`, whatever the server's own pod has been allowed */}}
{{- define "posthorn.testSecurityContext" -}}
runAsNonRoot: true
{{- if not (include "posthorn.onOpenShift" .) }}
runAsUser: 65534
runAsGroup: 65534
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}
