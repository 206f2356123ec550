{{/*
The environment of the server: what deployment.env says, and what follows from other keys.
*/}}

{{/* Variables that are 0 or 1: "true" and the like are translated, since the server knows numbers only. */}}
{{- define "posthorn.env.switches" -}}
ENABLE_AMAVIS ENABLE_CLAMAV ENABLE_DNSBL ENABLE_FAIL2BAN ENABLE_FETCHMAIL ENABLE_GETMAIL ENABLE_IMAP
ENABLE_MANAGESIEVE ENABLE_MTA_STS ENABLE_OAUTH2 ENABLE_OPENDKIM ENABLE_OPENDMARC ENABLE_POLICYD_SPF ENABLE_POP3
ENABLE_POSTGREY ENABLE_QUOTAS ENABLE_RSPAMD ENABLE_RSPAMD_REDIS ENABLE_SASLAUTHD ENABLE_SPAMASSASSIN
ENABLE_SPAMASSASSIN_KAM ENABLE_SRS ENABLE_UPDATE_CHECK FETCHMAIL_PARALLEL MARK_SPAM_AS_READ MOVE_SPAM_TO_JUNK
POSTFIX_REJECT_UNKNOWN_CLIENT_HOSTNAME POSTHORN_ALLOW_PLAINTEXT_AUTH POSTHORN_CHECK_HEADER_FROM POSTHORN_ENABLE_DANE
POSTHORN_PROXY_PROTOCOL POSTHORN_RELAY_VERIFY POSTHORN_SEARCH_INDEX POSTHORN_TLS_REFUSE_DOWNGRADE
POSTHORN_TLS_REQUIRED RSPAMD_CHECK_AUTHENTICATED RSPAMD_GREYLISTING RSPAMD_HFILTER RSPAMD_LEARN RSPAMD_NEURAL
SA_SHORTCIRCUIT_BAYES_HAM SA_SHORTCIRCUIT_BAYES_SPAM SMTP_ONLY SPAMASSASSIN_SPAM_TO_INBOX SPOOF_PROTECTION
{{- end -}}

{{/* Variables that are yes or no: YAML 1.1 turns an unquoted yes into true. */}}
{{- define "posthorn.env.yesNo" -}}
DOVECOT_AUTH_BIND DOVECOT_TLS LDAP_BIND LDAP_START_TLS SASLAUTHD_LDAP_START_TLS SASLAUTHD_LDAP_TLS_CHECK_PEER
{{- end -}}

{{/* (list "NAME" value): a scalar as the text that the server reads. JSON prints numbers exactly, where Go
would print 104857600 as 1.048576e+08. */}}
{{- define "posthorn.env.text" -}}
{{- $name := index . 0 -}}
{{- $value := index . 1 -}}
{{- $word := toString $value | trim | lower -}}
{{- if and (has $word (list "true" "false" "yes" "no" "on" "off")) (has $name (include "posthorn.env.switches" . | splitList "\n" | join " " | splitList " ")) -}}
{{- ternary "1" "0" (eq (include "posthorn.on" $value) "true") -}}
{{- else if and (kindIs "bool" $value) (has $name (include "posthorn.env.yesNo" . | splitList " ")) -}}
{{- ternary "yes" "no" $value -}}
{{- else if kindIs "bool" $value -}}
{{- ternary "1" "0" $value -}}
{{- else if kindIs "string" $value -}}
{{- $value -}}
{{- else if kindIs "slice" $value -}}
{{- join "," $value -}}
{{- else -}}
{{- toJson $value -}}
{{- end -}}
{{- end -}}

{{/* What follows from other keys, unless deployment.env says otherwise */}}
{{- define "posthorn.env.defaults" -}}
{{- $grace := int .Values.deployment.terminationGracePeriodSeconds -}}
{{- if gt $grace 11 }}
# The rest of the grace period is for the server itself to end.
POSTHORN_STOP_TIMEOUT: {{ sub $grace 10 }}s
{{- end }}
{{- with .Values.existingSecrets.relay }}
{{- include "posthorn.env.fromSecret" (list "RELAY_USER" .name .userKey) }}
{{- include "posthorn.env.fromSecret" (list "RELAY_PASSWORD" .name .passwordKey) }}
{{- end }}
{{- with .Values.existingSecrets.ldap }}
{{- include "posthorn.env.fromSecret" (list "LDAP_BIND_DN" .name .userKey) }}
{{- include "posthorn.env.fromSecret" (list "LDAP_BIND_PW" .name .passwordKey) }}
{{- end }}
{{- with .Values.existingSecrets.srs }}
{{- include "posthorn.env.fromSecret" (list "SRS_SECRET" .name .key) }}
{{- end }}
{{- end -}}

{{- define "posthorn.env.fromSecret" -}}
{{- if and (index . 1) (index . 2) }}
{{ index . 0 }}: {valueFrom: {secretKeyRef: {name: {{ index . 1 | quote }}, key: {{ index . 2 | quote }}}}}
{{- end }}
{{- end -}}

{{/* What follows from other keys, whatever deployment.env says */}}
{{- define "posthorn.env.derived" -}}
{{- if include "posthorn.certificate" . }}
SSL_TYPE: manual
SSL_CERT_PATH: /tmp/dms/custom-certs/tls.crt
SSL_KEY_PATH: /tmp/dms/custom-certs/tls.key
{{- end }}
{{- if include "posthorn.certificateAlternative" . }}
SSL_ALT_CERT_PATH: /tmp/dms/custom-certs-alternative/tls.crt
SSL_ALT_KEY_PATH: /tmp/dms/custom-certs-alternative/tls.key
{{- end }}
{{- if include "posthorn.proxyOn" . }}
POSTHORN_PROXY_PROTOCOL: "1"
POSTHORN_PROXY_TRUSTED_NETWORKS: {{ include "posthorn.trustedNetworks" . | fromJsonArray | join "," | quote }}
{{- end }}
{{- end -}}

{{/* JSON list; the key is a list, or text separated by blanks or commas */}}
{{- define "posthorn.trustedNetworks" -}}
{{- $given := .Values.proxyProtocol.trustedNetworks -}}
{{- if not (kindIs "slice" $given) -}}
{{- $given = regexSplit "[,\\s]+" (toString ($given | default "")) -1 -}}
{{- end -}}
{{- toJson (without $given "") -}}
{{- end -}}

{{/*
The list under env:. Each name stands once, because the API server refuses others under server-side
apply. Empty ones are left out: they mean the default anyway, and would hide the same name in a Secret
of secretEnvironments.
*/}}
{{- define "posthorn.env" -}}
{{- $env := include "posthorn.env.defaults" . | fromYaml -}}
{{- range $name, $value := .Values.deployment.env -}}
{{- if not (or (kindIs "invalid" $value) (and (kindIs "string" $value) (eq $value ""))) -}}
{{- $_ := set $env $name $value -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := include "posthorn.env.derived" . | fromYaml -}}
{{- $_ := set $env $name $value -}}
{{- end -}}
{{- range .Values.deployment.extraEnv }}{{ $_ := unset $env .name }}{{ end -}}
{{- range $name, $value := $env }}
- name: {{ $name }}
  {{- if kindIs "map" $value }}
  {{- toYaml $value | nindent 2 }}
  {{- else }}
  value: {{ include "posthorn.env.text" (list $name $value) | quote }}
  {{- end }}
{{- end }}
{{- with .Values.deployment.extraEnv }}
{{ tpl (toYaml .) $ }}
{{- end }}
{{- end -}}

{{- define "posthorn.envFrom" -}}
{{- range .Values.deployment.secretEnvironments }}
- secretRef:
    name: {{ . | quote }}
{{- end }}
{{- with .Values.deployment.extraEnvFrom }}
{{ tpl (toYaml .) $ }}
{{- end }}
{{- end -}}
