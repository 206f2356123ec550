{{/*
Configuration files from ConfigMaps and Secrets: the keys configMaps, secrets and existingSecrets become
one list, from which objects, volumes and mounts are made.
*/}}

{{/* (list $ name): the object of an entry. Dots are dashes, as docker-mailserver's chart has it. */}}
{{- define "posthorn.config.objectName" -}}
{{- $name := include "posthorn.dashed" (index . 1) -}}
{{- if include "posthorn.on" (index . 0).Values.prefixConfigNames -}}
{{- include "posthorn.named" (list (index . 0) $name) -}}
{{- else -}}
{{- $name -}}
{{- end -}}
{{- end -}}

{{/*
JSON list of rows:

  kind        configMap or secret
  from, key   the entry in values.yaml
  object      the name of the ConfigMap or Secret
  create      it is ours
  item        the key in it; "" for all of them, as a directory
  path        where it is to be, absolute
  mode        of the files
*/}}
{{- define "posthorn.config" -}}
{{- $root := . -}}
{{- $out := list -}}
{{- range $kind, $entries := dict "configMap" .Values.configMaps "secret" .Values.secrets -}}
{{- range $key, $entry := $entries -}}
{{- if $entry -}}
{{- $name := $entry.name | default $key -}}
{{- $item := $entry.key | default (ternary $name $key (eq $kind "secret")) -}}
{{- if include "posthorn.on" $entry.directory }}{{ $item = "" }}{{ end -}}
{{- $created := include "posthorn.on" $entry.create -}}
{{- $object := include "posthorn.dashed" $name -}}
{{- if $created }}{{ $object = include "posthorn.config.objectName" (list $root $name) }}{{ end -}}
{{- $row := dict "kind" $kind "from" (printf "%ss" $kind) "key" $key "object" $object "create" $created -}}
{{- $out = append $out (merge $row (dict "item" $item "path" (toString $entry.path) "mode" $entry.mode)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $key, $path := dict "accounts" "postfix-accounts.cf" "admin" "dovecot-masters.cf" "dkim" "" -}}
{{- $entry := get $root.Values.existingSecrets $key -}}
{{- if and $entry $entry.name -}}
{{- $row := dict "kind" "secret" "from" "existingSecrets" "key" $key "object" $entry.name "create" "" -}}
{{- if $entry.keys -}}
{{- range $entry.keys -}}
{{- $out = append $out (merge (dict "item" . "path" (printf "%s/%s" $entry.path .)) $row) -}}
{{- end -}}
{{- else -}}
{{- $out = append $out (merge $row (dict "item" ($entry.key | default "") "path" ($entry.path | default $path))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $out -}}
{{- if not (isAbs .path) }}{{ $_ := set . "path" (printf "/tmp/docker-mailserver/%s" .path) }}{{ end -}}
{{- end -}}
{{- include "posthorn.config.nameVolumes" (list $root $out) -}}
{{- end -}}

{{/* A volume is named like its entry; where two would be the same (a.b and a-b), a hash keeps them apart. */}}
{{- define "posthorn.config.nameVolumes" -}}
{{- $root := index . 0 -}}
{{- $taken := concat (keys $root.Values.persistent_volume_claims) (list "tmp" "config" "certificate" "certificate-alternative") -}}
{{- range $root.Values.deployment.extraVolumes }}{{ $taken = append $taken .name }}{{ end -}}
{{- range index . 1 -}}
{{- $name := include "posthorn.dashed" .key | trunc 63 | trimSuffix "-" -}}
{{- if eq .from "existingSecrets" }}{{ $name = printf "existing-%s" $name }}{{ end -}}
{{- if has $name $taken -}}
{{- $name = printf "%s-%s" (trunc 54 $name) (printf "%s/%s" .from .key | sha256sum | trunc 8) -}}
{{- end -}}
{{- $taken = append $taken $name -}}
{{- $_ := set . "volume" $name -}}
{{- end -}}
{{- toJson (index . 1) -}}
{{- end -}}

{{/* Whether a row is part of the projected volume, which stands for /tmp/docker-mailserver then */}}
{{- define "posthorn.config.isProjected" -}}
{{- if and (include "posthorn.projected" (index . 0)) (hasPrefix "/tmp/docker-mailserver/" (index . 1).path) -}}
true
{{- end -}}
{{- end -}}

{{- define "posthorn.configVolumes" -}}
{{- $root := . -}}
{{- $rows := include "posthorn.config" . | fromJsonArray -}}
{{- range $rows }}
{{- if not (include "posthorn.config.isProjected" (list $root .)) }}
- name: {{ .volume }}
  {{- if eq .kind "secret" }}
  secret:
    secretName: {{ .object }}
  {{- else }}
  configMap:
    name: {{ .object }}
  {{- end }}
    {{- with .mode }}
    defaultMode: {{ . }}
    {{- end }}
{{- end }}
{{- end }}
{{- if include "posthorn.projected" . }}
- name: config
  projected:
    sources:
      {{- range $rows }}
      {{- if include "posthorn.config.isProjected" (list $root .) }}
      - {{ .kind }}:
          name: {{ .object }}
          {{- if .item }}
          items:
            - key: {{ .item | quote }}
              path: {{ trimPrefix "/tmp/docker-mailserver/" .path | quote }}
              {{- with .mode }}
              mode: {{ . }}
              {{- end }}
          {{- end }}
      {{- end }}
      {{- end }}
{{- end }}
{{- end -}}

{{/* Single files are mounted over their place, so that the claim beside them stays writable. They are
read when the pod starts; a directory, and the projected volume, follow changes. */}}
{{- define "posthorn.configMounts" -}}
{{- $root := . -}}
{{- range include "posthorn.config" . | fromJsonArray }}
{{- if not (include "posthorn.config.isProjected" (list $root .)) }}
- name: {{ .volume }}
  mountPath: {{ .path | quote }}
  {{- if .item }}
  subPath: {{ .item | quote }}
  {{- end }}
  readOnly: true
{{- end }}
{{- end }}
{{- if include "posthorn.projected" . }}
- name: config
  mountPath: /tmp/docker-mailserver
  readOnly: true
{{- end }}
{{- end -}}

{{/* (list $ row): what is in the object of an entry; base64 for Secrets. Text ends with one line end, which
survives every YAML library. */}}
{{- define "posthorn.config.content" -}}
{{- $root := index . 0 -}}
{{- $entry := index $root.Values (index . 1).from (index . 1).key -}}
{{- $text := $entry.stringData | default $entry.data -}}
{{- if not (include "posthorn.on" $entry.raw) }}{{ $text = tpl $text $root }}{{ end -}}
{{- if eq (index . 1).kind "configMap" -}}
{{- $text = regexReplaceAll "\\s+$" $text "" -}}
{{- if $text }}{{ printf "%s\n" $text }}{{ end -}}
{{- else if $entry.stringData -}}
{{- b64enc $text -}}
{{- else -}}
{{- regexReplaceAll "\\s+" $text "" -}}
{{- end -}}
{{- end -}}

{{/* Changes when a file changes that the pod reads only at its start: a new one starts then. */}}
{{- define "posthorn.config.checksum" -}}
{{- $root := . -}}
{{- $out := dict -}}
{{- range include "posthorn.config" . | fromJsonArray -}}
{{- if and .create .item (not (include "posthorn.config.isProjected" (list $root .))) -}}
{{- $_ := set $out (printf "%s/%s" .kind .object) (include "posthorn.config.content" (list $root .)) -}}
{{- end -}}
{{- end -}}
{{- if $out }}{{ $out | toJson | sha256sum }}{{ end -}}
{{- end -}}
