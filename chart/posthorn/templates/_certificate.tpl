{{/*
Which Secrets hold certificates: an existing one, or the one that cert-manager will make.
*/}}

{{- define "posthorn.certManagerOn" -}}
{{- include "posthorn.on" .Values.certManager.enabled -}}
{{- end -}}

{{- define "posthorn.certificate" -}}
{{- if .Values.certificate -}}
{{- .Values.certificate -}}
{{- else if include "posthorn.certManagerOn" . -}}
{{- include "posthorn.named" (list . "tls") -}}
{{- end -}}
{{- end -}}

{{- define "posthorn.certificateAlternative" -}}
{{- if .Values.certificateAlternative -}}
{{- .Values.certificateAlternative -}}
{{- else if and (include "posthorn.certManagerOn" .) (include "posthorn.on" .Values.certManager.alternative.enabled) -}}
{{- include "posthorn.named" (list . "tls-alternative") -}}
{{- end -}}
{{- end -}}
