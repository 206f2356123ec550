{{/*
Labels and annotations. Each function returns one YAML map without duplicate keys; what the user gives
replaces what the chart gives, except for the labels that selectors need.
*/}}

{{/* (list map map ...): one map, in which later ones win. Unlike sprig's merge it respects false and "". */}}
{{- define "posthorn.overlay" -}}
{{- $out := dict -}}
{{- range . -}}
{{- range $key, $value := . -}}
{{- $_ := set $out $key $value -}}
{{- end -}}
{{- end -}}
{{- if $out -}}{{ toYaml $out }}{{- end -}}
{{- end -}}

{{/* Never change: a Deployment's selector cannot be, and docker-mailserver's chart had this one. */}}
{{- define "posthorn.selector" -}}
app.kubernetes.io/name: {{ include "posthorn.fullname" . }}
release: {{ .Release.Name | quote }}
{{- end -}}

{{- define "posthorn.standardLabels" -}}
{{ include "posthorn.selector" . }}
chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
heritage: {{ .Release.Service | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/part-of: posthorn
{{- end -}}

{{/* (list $ map ...): the labels of an object */}}
{{- define "posthorn.labels" -}}
{{- $root := first . -}}
{{- $standard := include "posthorn.standardLabels" $root | fromYaml -}}
{{- include "posthorn.overlay" (concat (list $standard $root.Values.commonLabels) (rest .)) -}}
{{- end -}}

{{/* (list $ map ...): the labels of a pod. No chart version: raising it alone restarts nothing. */}}
{{- define "posthorn.podLabels" -}}
{{- $root := first . -}}
{{- $selector := include "posthorn.selector" $root | fromYaml -}}
{{- $own := dict "app.kubernetes.io/instance" $root.Release.Name "app.kubernetes.io/part-of" "posthorn" -}}
{{- include "posthorn.overlay" (concat (list $own $root.Values.commonLabels) (rest .) (list $selector)) -}}
{{- end -}}

{{/* (list $ map ...): a whole "annotations:" key, or nothing */}}
{{- define "posthorn.annotations" -}}
{{- $root := first . -}}
{{- with include "posthorn.overlay" (concat (list $root.Values.commonAnnotations) (rest .)) -}}
annotations:
  {{- nindent 2 . }}
{{- end -}}
{{- end -}}

{{/* (list $ "name" map-of-labels map-of-annotations): the metadata that most objects have */}}
{{- define "posthorn.metadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 1 }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "posthorn.labels" (list $root (index . 2)) | nindent 2 }}
{{- with include "posthorn.annotations" (list $root (index . 3)) }}
{{ . }}
{{- end }}
{{- end -}}

{{/* Of the pod of `helm test`: not the server's, or Services would send it mail. */}}
{{- define "posthorn.testLabels" -}}
{{- $own := dict "app.kubernetes.io/name" (include "posthorn.named" (list . "test")) "app.kubernetes.io/instance" .Release.Name -}}
{{- include "posthorn.overlay" (list .Values.commonLabels $own) -}}
{{- end -}}
