{{/*
Claims, and where they are mounted. Two keys describe them: persistent_volume_claims (chart 5) and
persistence. Charts 3 and 4.1 had the settings of the claims in persistence as well; there they win.
*/}}

{{- define "posthorn.claimSettings" -}}
enabled existingClaim size annotations labels accessModes storageClass volumeName volumeMode selector resourcePolicy
{{- end -}}

{{/* JSON map: the settings of each claim. Its volume is named like the entry. */}}
{{- define "posthorn.claims" -}}
{{- $out := dict -}}
{{- range $name, $claim := .Values.persistent_volume_claims -}}
{{- if $claim }}{{ $_ := set $out $name (deepCopy $claim) }}{{ end -}}
{{- end -}}
{{- range $name, $mount := .Values.persistence -}}
{{- if and $mount (kindIs "map" $mount) (hasKey $out $name) -}}
{{- range $key := without (include "posthorn.claimSettings" $ | splitList " ") "volumeName" -}}
{{- if hasKey $mount $key }}{{ $_ := set (get $out $name) $key (get $mount $key) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name, $claim := $out }}{{ $_ := set $claim "enabled" (include "posthorn.on" $claim.enabled) }}{{ end -}}
{{- if include "posthorn.projected" . }}{{ $_ := set (get $out "mail-config") "enabled" "" }}{{ end -}}
{{- toJson $out -}}
{{- end -}}

{{/* /tmp/docker-mailserver is a read-only volume made of ConfigMaps and Secrets instead of a claim. */}}
{{- define "posthorn.projected" -}}
{{- with index .Values.persistence "mail-config" }}{{ include "posthorn.on" .projected }}{{ end -}}
{{- end -}}

{{/* JSON list of {name, mountPath, subPath, ephemeral}: ephemeral when neither a claim nor
deployment.extraVolumes has a volume of that name. The server must be able to write there all the same. */}}
{{- define "posthorn.mounts" -}}
{{- $claims := include "posthorn.claims" . | fromJson -}}
{{- $known := list -}}
{{- range $name, $claim := $claims }}{{ if $claim.enabled }}{{ $known = append $known $name }}{{ end }}{{ end -}}
{{- range .Values.deployment.extraVolumes }}{{ $known = append $known .name }}{{ end -}}
{{- $projected := include "posthorn.projected" . -}}
{{- $out := list -}}
{{- range $name, $mount := .Values.persistence -}}
{{- if and $mount (not (and $projected (eq $name "mail-config"))) -}}
{{- $volume := $mount.volumeName | default $name -}}
{{- $row := dict "name" $volume "mountPath" $mount.mountPath "subPath" ($mount.subPath | default "") -}}
{{- $_ := set $row "ephemeral" (not (has $volume $known)) -}}
{{- $out = append $out $row -}}
{{- end -}}
{{- end -}}
{{- toJson $out -}}
{{- end -}}

{{- define "posthorn.storageVolumes" -}}
{{- $root := . -}}
{{- range $name, $claim := include "posthorn.claims" . | fromJson }}
{{- if $claim.enabled }}
- name: {{ $name }}
  persistentVolumeClaim:
    claimName: {{ $claim.existingClaim | default (printf "%s-%s" (include "posthorn.fullname" $root) $name) }}
{{- end }}
{{- end }}
{{- $seen := list }}
{{- range include "posthorn.mounts" . | fromJsonArray }}
{{- if and .ephemeral (not (has .name $seen)) }}
{{- $seen = append $seen .name }}
- name: {{ .name }}
  emptyDir: {}
{{- end }}
{{- end }}
- name: tmp
  emptyDir:
    {{- with .Values.tmp.medium }}
    medium: {{ . }}
    {{- end }}
    sizeLimit: {{ .Values.tmp.sizeLimit }}
{{- end -}}

{{- define "posthorn.storageMounts" -}}
- name: tmp
  mountPath: /tmp
{{- range include "posthorn.mounts" . | fromJsonArray }}
- name: {{ .name }}
  mountPath: {{ .mountPath }}
  {{- with .subPath }}
  subPath: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}
